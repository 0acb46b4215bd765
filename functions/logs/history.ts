import type * as z from 'zod/mini';
import { queryPooled } from '../../lib/database.ts';
import { SyncError } from '../../lib/errors.ts';
import { maskKennitala, normaliseKennitala } from '../../lib/kennitala.ts';
import { shownId } from '../../lib/redact.ts';
import type { Credential } from '../../lib/secrets.ts';
import { reasonOf, shownText } from '../../lib/sync/result.ts';
import { explainMember, type MemberFacts, type MemberReason } from './memberReason.ts';
import type { logsParameters } from './schema.ts';
import changesOfMember from './sql/changes_of_member.sql';
import changesOfRun from './sql/changes_of_run.sql';
import findMember from './sql/find_member.sql';
import membersBornOn from './sql/members_born_on.sql';
import selectRun from './sql/select_run.sql';

const DEFAULT_LIMIT = 20;

type Values = Record<string, unknown>;
type Asked = z.output<typeof logsParameters>;

/** One applied change, with the values of the changed fields; a kennitala is masked. */
export interface LoggedChange {
  id: number;
  changed_at: string;
  run_id: number;
  sync_type: string | null;
  action: string;
  external_id: string | null;
  kennitala: string | null;
  name: string | null;
  fields: string[];
  /** Why, in words. */
  reason: string;
  before: Values;
  after: Values;
  caller: string | null;
  approved_by: string | null;
  /** The run that this change takes back. */
  undoes: number | null;
  /** The run that took it back. */
  undone_by: number | null;
}

export interface ChangePage {
  changes: LoggedChange[];
  /** Pass it as `before` for the next page; null on the last one. */
  next_before: number | null;
}

/** A member in words: whether they may vote, since when and why. */
export interface MemberInWords {
  external_id: string | null;
  kennitala: string | null;
  name: string | null;
  may_vote: boolean;
  since: string | null;
  reason: MemberReason;
}

/** The changes of one run, newest first, a page at a time. Throws `not_found`, and what pg throws. */
export async function readRunChanges(
  database: Credential,
  runId: number,
  { before, limit = DEFAULT_LIMIT }: Asked,
): Promise<ChangePage & { run: Values }> {
  const [found] = await queryPooled<{ log: Values }>(database, selectRun, [runId]);
  if (!found) {
    throw new SyncError('not_found', `There is no run ${runId}. syncLogs lists the runs.`);
  }
  const values = [runId, before ?? null, limit + 1];
  const rows = await queryPooled<ChangeRow>(database, changesOfRun, values);
  return { run: readableRun(found.log), ...pageOf(rows, limit) };
}

/** One member and their history, newest first, a page at a time. Throws what pg throws. */
export async function readMember(
  database: Credential,
  {
    external_id,
    kennitala,
    row,
    before,
    limit = DEFAULT_LIMIT,
    from,
    to,
  }: Asked & { row?: number },
): Promise<MemberHistory> {
  const digits = normaliseKennitala(kennitala);
  const named: Holder | undefined =
    digits === undefined
      ? { external_id: external_id === undefined ? null : String(external_id), row: row ?? null }
      : await holderOf(database, digits);
  // By the row where there is one: its Django id may be somebody else's by now.
  const hasRow = named?.row !== undefined && named.row !== null;
  const asked = hasRow
    ? [null, named.row, null]
    : [named?.external_id ?? null, null, named?.outcomes ?? null];
  const [facts] = await queryPooled<MemberFacts>(database, findMember, asked);
  const { id, external_id: externalId, kennitala: stored, name } = facts as MemberFacts;
  const values = [id, before ?? null, limit + 1, from ?? null, to ?? null];
  const rows = id === null ? [] : await queryPooled<ChangeRow>(database, changesOfMember, values);
  const shown = stored ?? digits;
  const member = {
    external_id: shownId(externalId),
    kennitala: shown === undefined ? null : maskKennitala(shown),
    name,
    ...explainMember(facts as MemberFacts),
  };
  return { member, row: id, facts: facts as MemberFacts, ...pageOf(rows, limit) };
}

interface Holder {
  row?: number | null;
  external_id?: string | null;
  /** The changes that may wait for them, by their digests. */
  outcomes?: Buffer[];
}

interface Born {
  row: number | null;
  external_id: string | null;
  kennitala: string;
  outcome: Buffer;
}

// The server may log the values that a statement has, so it gets the half of a kennitala that is shown as well.
async function holderOf(database: Credential, digits: string): Promise<Holder | undefined> {
  const born = await queryPooled<Born>(database, membersBornOn, [digits.slice(0, 6)]);
  const theirs = born.filter(({ kennitala }) => kennitala === digits);
  const owner = theirs.find(({ row }) => row !== null);
  if (owner || theirs.length === 0) return owner;
  // Their Django id may be that of another person here, or of themselves under another kennitala.
  const outcomes = theirs.map(({ outcome }) => outcome);
  return { external_id: theirs[0]?.external_id ?? null, outcomes };
}

/** A member and a page of their history. */
export interface MemberHistory extends ChangePage {
  member: MemberInWords;
  /** The id of their row here; null where there is none. */
  row: number | null;
  /** What the reason goes by, for those who say it in other words. */
  facts: MemberFacts;
}

interface ChangeRow
  extends Omit<
    LoggedChange,
    'id' | 'changed_at' | 'external_id' | 'kennitala' | 'name' | 'reason'
  > {
  // A bigint, which pg gives as text.
  id: string;
  changed_at: Date;
  before: Values;
  after: Values;
  evidence: string | null;
  reason: string | null;
  confirmed: string | null;
}

function pageOf(rows: ChangeRow[], limit: number): ChangePage {
  const changes = rows.slice(0, limit).map(readableChange);
  return { changes, next_before: rows.length > limit ? (changes.at(-1)?.id ?? null) : null };
}

function readableChange(change: ChangeRow): LoggedChange {
  const { before, after, evidence, confirmed, ...row } = change;
  const { external_id, kennitala, name } = after;
  return {
    ...row,
    id: Number(row.id),
    changed_at: row.changed_at.toISOString(),
    external_id: typeof external_id === 'string' ? shownId(external_id) : null,
    kennitala: typeof kennitala === 'string' ? maskKennitala(kennitala) : null,
    name: typeof name === 'string' ? name : null,
    reason: reasonOf(change),
    before: changed(before, row.fields),
    after: changed(after, row.fields),
  };
}

// Only the fields that changed, of a member who was added all of them.
function changed(values: Values | null, fields: string[]): Values {
  const kept = fields.filter((field) => values !== null && Object.hasOwn(values, field));
  return Object.fromEntries(kept.map((field) => [field, shownValue(field, values?.[field])]));
}

const shownValue = (field: string, value: unknown): unknown =>
  typeof value === 'string' ? shownText(field, value) : (value ?? null);

/**
 * A sync_log row as JSON, with every time in UTC, to the millisecond and with its Z, whatever zone the
 * server has: `sync_timestamp` is stored without a zone and is UTC; the others are timestamptz, which
 * PostgreSQL writes in its own.
 */
export function readableRun(row: Record<string, unknown>): Record<string, unknown> {
  const { sync_timestamp, finished_at, register_mark, register_seen_at } = row;
  return {
    ...row,
    sync_timestamp: utc(typeof sync_timestamp === 'string' ? `${sync_timestamp}Z` : null),
    finished_at: utc(finished_at),
    register_mark: utc(register_mark),
    register_seen_at: utc(register_seen_at),
  };
}

const utc = (time: unknown) => (typeof time === 'string' ? new Date(time).toISOString() : null);
