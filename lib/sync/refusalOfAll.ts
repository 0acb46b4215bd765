import type pg from 'pg';
import { asDatabaseUnavailable } from '../databaseErrors.ts';
import { SyncError } from '../errors.ts';
import { probeRows } from './attempt.ts';
import {
  functionIn,
  isBrokenTrigger,
  isContention,
  type MembersNames,
  placeOf,
  type Refusal,
} from './refusals.ts';

const written = ['kennitala', 'name', 'email', 'phone', 'external_id'];

// What every row meets, mostly: a right that is missing, a table that is not as our migrations made it, no disk.
const isStructural = ({ state, context }: Refusal): boolean =>
  /^(0A|25|42|53|55000)/.test(state) && functionIn(context) === undefined;

const isAboutValues = ({ state }: Refusal): boolean => /^(21|22|23|27|44|P0|MS)/.test(state);

// Only other rows can say if such a refusal is about one: whether they can be written. A trigger that is written in C
// has any SQLSTATE, and is named nowhere.
const isDoubtful = (refusal: Refusal): boolean =>
  isBrokenTrigger(refusal) ||
  (functionIn(refusal.context) === undefined && !isAboutValues(refusal) && !isContention(refusal));

/**
 * Throws when a refusal is about no row: a sequence at its end or behind, a column of another service that must have a
 * value. It names what PostgreSQL names.
 */
export function throwIfForAll(refusal: Refusal, names: MembersNames): void {
  const { state, constraint_name, column_name, context, message } = refusal;
  const fail = (words: string) => {
    throw new SyncError('database_unavailable', `${words} (${state}).`);
  };
  if (functionIn(context) !== undefined) return;
  if (state === '2200H') {
    const [, sequence = 'members_id_seq'] = /"(\w+_seq)"/.exec(message) ?? [];
    fail(
      `The sequence ${sequence} has no number left: let it have larger ones (alter sequence … no maxvalue), or start over`,
    );
  }
  if (state === '23505' && names.primary_keys.includes(constraint_name)) {
    fail(
      `The sequence of members.id is behind its column: select setval(pg_get_serial_sequence('public.members', 'id'), max(id)) from public.members`,
    );
  }
  if (state === '23502' && !written.includes(column_name)) {
    fail(
      `The column ${column_name} of members must have a value, and nobody gives it one: let it have a default`,
    );
  }
  // What the server does with our session or itself.
  if (/^(08|57)/.test(state) && !isContention(refusal)) throw asDriver(refusal);
}

// What a function of others says may hold values of a row.
const asDriver = ({ state: code, context: where, message }: Refusal) =>
  Object.assign(new Error(functionIn(where) === undefined ? message : 'left out'), { code, where });

/** A refusal of all changes, as the driver would have thrown it, for the words that the error has elsewhere. */
export function asThrown(refusal: Refusal, triggers: string[] = []): Error {
  const thrown = asDriver(refusal);
  if (isDoubtful(refusal) && asDatabaseUnavailable(thrown)) return thrown;
  return new SyncError(
    'database_unavailable',
    `The database refuses every change: ${placeOf(refusal, triggers)}.`,
  );
}

/** Finds out by other rows whether what changes meet is met by all. */
export interface OfAll {
  /** Notes what the change of this turn has met. Throws it where rows that the plan leaves alone meet the same. */
  note(turn: number, refusal: Refusal): Promise<void>;
  /** Throws what the newcomers have met if not one of them was added. */
  settle(): Promise<void>;
}

/** For the changes of one transaction. */
export function watchForAll(client: pg.Client): OfAll {
  const ofNewcomers: Refusal[] = [];
  let met: Promise<string | null> | undefined;
  return {
    note: async (turn, refusal) => {
      if (!isDoubtful(refusal)) return;
      if (await isAddition(client, turn)) {
        ofNewcomers.push(refusal);
        return;
      }
      met ??= probeRows(client);
      if ([refusal.state, 'none'].includes((await met) ?? '')) throw asThrown(refusal);
    },
    settle: async () => {
      const last = ofNewcomers.at(-1);
      // One alone may have met what is theirs in a function of others.
      if (!last || (ofNewcomers.length === 1 && !isStructural(last))) return;
      const { rowCount: added } = await client.query('select from pg_temp.added limit 1');
      if (!added) throw asThrown(last);
    },
  };
}

const additionAt = `select from pg_temp.plan where turn = $1::int and action = 'add'`;

async function isAddition(client: pg.Client, turn: number): Promise<boolean> {
  const { rowCount } = await client.query(additionAt, [turn]);
  return rowCount === 1;
}
