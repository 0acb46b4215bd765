import type pg from 'pg';
import { TRIGGER_FINDS_NOTHING } from '../databaseWords.ts';
import { SyncError } from '../errors.ts';
import describeMembers from './sql/apply/describe_members.sql';

/** What the database said when it refused what was tried. `context` and `message` may hold values of a row. */
export interface Refusal {
  state: string;
  constraint_name: string;
  table_name: string;
  column_name: string;
  context: string;
  message: string;
}

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

/** So many refused one by one, and nothing done: others are looked at, far from these. */
const REFUSED_IN_A_ROW = 50;
/** So many more than a run knows of, from several places, and nothing done: what is refused is no row but all of it. */
const ALL_REFUSED = 4 * REFUSED_IN_A_ROW;
/** Tries in one run: the rows that change are ours for so long, and other services wait for them. */
const MOST_TRIES = 500;

interface Range {
  from: number;
  to: number;
}

/** What doByHalves does with a part. */
export interface Parts {
  /** Tries all of it; returns why nothing of it was done. */
  attempt(from: number, to: number): Promise<Refusal | undefined>;
  /** One that is refused for itself. */
  refuse(at: number, refusal: Refusal): Promise<void>;
  /** What was not tried, because there were too many tries. */
  leave(from: number, to: number): Promise<void>;
}

/**
 * Does what can be done from first to last: tries all of it, and where that is refused its halves, so that k
 * refused ones among n cost some k · log n tries. Returns the last refusal when it is one of all: nothing was done,
 * and several changes met a broken trigger each, or so many were refused from the head, the end and between. `known`:
 * how many the last run found refused.
 */
export async function doByHalves(
  first: number,
  last: number,
  { attempt, refuse, leave }: Parts,
  known = 0,
): Promise<Refusal | undefined> {
  let [tries, done, refused, broken] = [0, 0, 0, 0];
  const rest: Range[] = first <= last ? [{ from: first, to: last }] : [];
  const halve = ({ from, to }: Range) => {
    const middle = Math.floor((from + to) / 2);
    rest.push({ from: middle + 1, to }, { from, to: middle });
  };
  for (let range = rest.pop(); range; range = rest.pop()) {
    const { from, to } = range;
    if (tries >= MOST_TRIES) {
      await leave(from, to);
      continue;
    }
    tries += 1;
    const refusal = await attempt(from, to);
    if (!refusal) {
      done += 1;
    } else if (from < to) {
      halve(range);
    } else {
      await refuse(from, refusal);
      refused += 1;
      broken += isBrokenTrigger(refusal) ? 1 : 0;
      if (done > 0) continue;
      if (rest.length === 0 && broken > 1 && broken === refused) return refusal;
      if (refused >= known + ALL_REFUSED) return refusal;
      if (rest.length > 0 && refused % REFUSED_IN_A_ROW === 0) lookElsewhere(rest);
    }
  }
  return undefined;
}

// The second half of the largest part is next.
function lookElsewhere(rest: Range[]): void {
  const sizes = rest.map(({ from, to }) => to - from);
  const [{ from, to }] = rest.splice(sizes.indexOf(Math.max(...sizes)), 1) as [Range];
  const middle = Math.floor((from + to) / 2);
  if (from < to) rest.push({ from, to: middle });
  rest.push({ from: from < to ? middle + 1 : from, to });
}

/** SQLSTATEs that another try may not meet: a deadlock, a lock that somebody holds. */
export const isContention = ({ state }: Pick<Refusal, 'state'>): boolean =>
  ['40001', '40P01', '55P03'].includes(state);

/** A change that leaves no trace, or another one than it was: what a trigger does without a word. */
export const isUndoneByTrigger = ({ state }: Refusal): boolean => state === 'MS001';

const notFound = ['42P01', '42883', '42703', '42704', '3F000'];

// What a trigger names is not found: mostly by every row, under whatever condition it looks for it.
const isBrokenTrigger = ({ state, context }: Refusal): boolean =>
  notFound.includes(state) && functionIn(context) !== undefined;

const written = ['kennitala', 'name', 'email', 'phone', 'external_id'];

/**
 * Throws when a refusal is about no row: a right that is missing, a sequence at its end or behind, a column of
 * another service that must have a value. It names what PostgreSQL names.
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
  if (/^(21|22|23|27|44|P0|MS)/.test(state) || isContention(refusal)) return;
  throw Object.assign(new Error(message), { code: state });
}

/** A refusal of all changes, as the driver would have thrown it, for the words that the error has elsewhere. */
export function asThrown(refusal: Refusal, triggers: string[]): Error {
  const { state: code, context: where } = refusal;
  if (isBrokenTrigger(refusal)) return Object.assign(new Error('left out'), { code, where });
  return new SyncError(
    'database_unavailable',
    `The database refuses every change: ${placeOf(refusal, triggers)}.`,
  );
}

/** What refused a change, by the names that PostgreSQL has for it; never a value. */
export function placeOf(refusal: Refusal, triggers: string[] = []): string {
  const { state, constraint_name, table_name, column_name, context } = refusal;
  if (isUndoneByTrigger(refusal)) {
    const which = triggers.length > 0 ? ` (${triggers.join(', ')})` : '';
    return `a trigger of another service${which} undoes it without a word`;
  }
  const by = functionIn(context);
  if (isBrokenTrigger(refusal)) return `function ${by} (${state}). ${TRIGGER_FINDS_NOTHING}`;
  const [type] =
    (state === '22001' &&
      !by &&
      /\b(?:character|bit|numeric)[\w ]*\(\d+\)/.exec(refusal.message)) ||
    [];
  const place = [
    by ? `function ${by}` : '',
    constraint_name && `constraint ${constraint_name}`,
    column_name && `column ${column_name}`,
    table_name && `table ${table_name}`,
    type && `type ${type}`,
  ].filter(Boolean);
  return `${place.join(', ') || 'table members'} (${state})`;
}

// The innermost function of others; of the context nothing else is shown. Our own block has no name.
function functionIn(context: string): string | undefined {
  for (const line of context.split('\n')) {
    const [, name] = /^(?:PL\/\w+|SQL)[ -][^\n"(]*?((?:"[^"]+"|[\w.])+)\(/.exec(line) ?? [];
    if (name !== undefined) return name;
  }
  return undefined;
}
