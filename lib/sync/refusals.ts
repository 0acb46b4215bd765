import type pg from 'pg';
import { functionIn } from '../databaseErrors.ts';
import { TRIGGER_FINDS_NOTHING } from '../databaseWords.ts';
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

/** SQLSTATEs that another try may not meet: a deadlock, a lock that somebody holds. */
export const isContention = ({ state }: Pick<Refusal, 'state'>): boolean =>
  ['40001', '40P01', '55P03'].includes(state);

/** A change that leaves no trace, or another one than it was: what a trigger does without a word. */
export const isUndoneByTrigger = ({ state }: Refusal): boolean => state === 'MS001';

export const notFound = ['42P01', '42883', '42703', '42704', '3F000'];

/** What a trigger names is not found: mostly by every row, under whatever condition it looks for it. */
export const isBrokenTrigger = ({ state, context }: Refusal): boolean =>
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
export function placeOf(refusal: Refusal, triggers: string[] = []): string {
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
export const shownName = (name: string): string =>
  /^[A-Za-z_][\w.]*$/.test(name) && !/^pg_temp|\d{6}/.test(name) ? name : 'of no plain name';
