import type pg from 'pg';
import { asDatabaseUnavailable, functionIn } from '../databaseErrors.ts';
import { TRIGGER_FINDS_NOTHING } from '../databaseWords.ts';
import { SyncError } from '../errors.ts';
import { probeRows } from './attempt.ts';
import {
  isBrokenTrigger,
  isContention,
  type MembersNames,
  notFound,
  placeOf,
  type Refusal,
  shownName,
} from './refusals.ts';
import doubtful from './sql/apply/select_doubtful.sql';

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
  if (notFound.includes(refusal.state)) {
    const name = functionIn(refusal.context);
    const place = [refusal.state, name && shownName(name)].filter(Boolean).join(', ');
    return new SyncError('database_unavailable', `${TRIGGER_FINDS_NOTHING} (${place}).`);
  }
  const thrown = asDriver(refusal);
  if (isDoubtful(refusal) && asDatabaseUnavailable(thrown)) return thrown;
  return new SyncError(
    'database_unavailable',
    `The database refuses every change: ${placeOf(refusal, triggers)}.`,
  );
}

/** Finds out by other rows whether what changes meet is met by all. */
export interface OfAll {
  /** Notes what the change of this turn has met. */
  note(turn: number, refusal: Refusal): void;
  /** When all changes were tried: throws what was met if it is about no row. */
  settle(): Promise<void>;
}

/** For the changes of one transaction. */
export function watchForAll(client: pg.Client): OfAll {
  const noted: { turn: number; refusal: Refusal }[] = [];
  return {
    note: (turn, refusal) => {
      if (isDoubtful(refusal)) noted.push({ turn, refusal });
    },
    settle: async () => {
      const turns = noted.map(({ turn }) => turn);
      if (turns.length === 0) return;
      const { rows } = await client.query<Doubtful>(doubtful, [turns]);
      const { newcomers, any_done, any_added, any_known, may_insert } = rows[0] as Doubtful;
      const ofNewcomers = noted.filter(({ turn }) => newcomers.includes(turn));
      const ofRows = noted.filter(({ turn }) => !newcomers.includes(turn));
      // A right of ours that is missing is said, whatever else could be done without it.
      const judged = any_done ? noted.filter(({ refusal }) => refusal.state === '42501') : noted;
      const isJudged = (one: (typeof noted)[number]) => judged.includes(one);
      const newcomer = ofNewcomers.findLast(isJudged)?.refusal;
      const row = ofRows.findLast(isJudged)?.refusal;
      if (!newcomer && !row) return;
      const met = await probeRows(client);
      if (row && (met === row.state || (met === 'none' && isStructural(row)))) throw asThrown(row);
      const passes = {
        isFirst: !any_added && !any_known,
        mayInsert: may_insert,
        rows: met === null,
      };
      if (newcomer && isOfNewcomers(newcomer, ofNewcomers.length, passes)) throw asThrown(newcomer);
    },
  };
}

// No newcomer can be tried out: what others pass, and what rights there are, has to tell. What has no words of its own
// is better said of each.
function isOfNewcomers(
  refusal: Refusal,
  count: number,
  { isFirst, mayInsert, rows }: { isFirst: boolean; mayInsert: boolean; rows: boolean },
): boolean {
  if (!isFirst) return false;
  if (refusal.state === '42501') return !mayInsert;
  if (!notFound.includes(refusal.state)) return isStructural(refusal);
  // One alone may have met what is theirs in a function of others.
  return !rows && (isStructural(refusal) || count > 1);
}

interface Doubtful {
  /** The turns that are additions. */
  newcomers: number[];
  any_done: boolean;
  any_added: boolean;
  /** One of them was refused before, when others were not. */
  any_known: boolean;
  may_insert: boolean;
}
