import type pg from 'pg';
import { asDatabaseUnavailable, functionIn } from '../databaseErrors.ts';
import { TRIGGER_FINDS_NOTHING } from '../databaseWords.ts';
import { SyncError } from '../errors.ts';
import { probeRows, type Refusal } from './attempts.ts';
import describeMembers from './sql/apply/describe_members.sql';
import doubtful from './sql/apply/select_doubtful.sql';

/** What PostgreSQL calls things of `members`. */
export interface MembersNames {
  primary_keys: string[];
  kennitala_keys: string[];
  triggers: string[];
}

/** Reads what a refusal is described with. Throws what pg throws. */
export async function readNames(client: pg.Client): Promise<MembersNames> {
  const { rows } = await client.query<MembersNames>(describeMembers);
  return rows[0] as MembersNames;
}

/** SQLSTATEs that another try may not meet: a deadlock, a lock that somebody holds. */
export const isContention = ({ state }: Pick<Refusal, 'state'>): boolean =>
  ['40001', '40P01', '55P03'].includes(state);

/** A change that leaves no trace, or another one than it was: what a trigger does without a word. */
export const isUndoneByTrigger = ({ state }: Refusal): boolean => state === 'MS001';

const notFound = ['42P01', '42883', '42703', '42704', '3F000'];

/** What a trigger names is not found: mostly by every row, under whatever condition it looks for it. */
const isBrokenTrigger = ({ state, context }: Refusal): boolean =>
  notFound.includes(state) && functionIn(context) !== undefined;

/** What becomes of a change that somebody stands in the way of. */
export const LATER = 'a later run tries again';

/** What is said of a change by its error code, where nothing more is known. */
export const wordsOf: Record<string, string> = {
  row_locked: `another service holds this member; ${LATER}`,
  plan_outdated: `another service keeps changing this member; ${LATER}`,
  change_waits: `it needs the change of another member, which was not made; ${LATER}`,
};

/** The same of one that was not tried. */
export const UNTRIED =
  'so many changes are refused that this one was not tried; a later run tries it before those';

/** What is said of a change that met this; undefined where its error code says it all. */
export function wordsFor(
  code: string,
  refusal: Refusal,
  { triggers }: MembersNames,
): string | undefined {
  if (code === 'change_refused') return `the database refuses it: ${placeOf(refusal, triggers)}`;
  // A member that somebody holds was found out before. This is what PostgreSQL itself was at, and no text of a trigger.
  const [, relation] =
    /^while \w+ tuple \(\d+,\d+\) in relation "([a-z_]\w*)"$/im.exec(refusal.context) ?? [];
  if (code !== 'row_locked' || relation === undefined) return undefined;
  return `it needs a row of ${relation} that another service holds; ${LATER}`;
}

/** What refused a change, by the names that PostgreSQL has for it; never a value. */
function placeOf(refusal: Refusal, triggers: string[] = []): string {
  const { state, constraint_name, table_name, column_name, context } = refusal;
  if (isUndoneByTrigger(refusal)) {
    const which = triggers.length > 0 ? ` (${triggers.join(', ')})` : '';
    return `a trigger of another service${which} undoes it without a word`;
  }
  const name = functionIn(context);
  const by = name && `function ${shownName(name)}`;
  if (isBrokenTrigger(refusal)) return `${by} (${state}). ${TRIGGER_FINDS_NOTHING}`;
  const [type] =
    (state === '22001' &&
      !by &&
      /\b(?:character|bit|numeric)[\w ]*\(\d+\)/.exec(refusal.message)) ||
    [];
  const place = [
    by,
    constraint_name && `constraint ${constraint_name}`,
    column_name && `column ${column_name}`,
    table_name && `table ${table_name}`,
    type && `type ${type}`,
  ].filter(Boolean);
  return `${place.join(', ') || 'table members'} (${state})`;
}

/** A trigger can make a function whose name holds what it likes, a member's name or number as well. */
const shownName = (name: string): string =>
  /^[A-Za-z_][\w.]*$/.test(name) && !/^pg_temp|\d{6}/.test(name) ? name : 'of no plain name';

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
