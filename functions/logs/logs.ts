import type * as z from 'zod/mini';
import { queryPooled } from '../../lib/database.ts';
import { SyncError } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import type { Credential } from '../../lib/secrets.ts';
import {
  type ChangePage,
  type LoggedChange,
  type MemberInWords,
  readableRun,
  readMember,
  readRunChanges,
} from './history.ts';
import { checkLogsRequest, type logsParameters, MAX_CSV_ROWS } from './schema.ts';
import syncLogs from './sql/sync_logs.sql';

type Asked = z.output<typeof logsParameters>;
type Row = Record<string, unknown>;

const DEFAULT_LIMIT = 20;

export interface LogPage {
  logs: Row[];
  /** Pass it as `before` for the next page; null on the last one. */
  next_before: number | null;
}

interface LogsAnswer {
  body: LogPage | (ChangePage & { run?: Row; member?: MemberInWords });
  /** The same as rows and columns, when CSV was asked for. */
  table?: Table;
}

/**
 * What syncLogs answers: runs, the changes of one, or a member with their history. A look at a member is
 * logged, by Django id. Throws `invalid_request`, `not_found`, and what pg throws.
 */
export async function answerLogs(
  database: Credential,
  given: Asked,
  caller: string,
  log: Log,
): Promise<LogsAnswer> {
  checkLogsRequest(given);
  const csv = given.format === 'csv';
  const asked = { ...given, limit: given.limit ?? (csv ? MAX_CSV_ROWS : DEFAULT_LIMIT) };
  const body = await read(database, asked, caller, log);
  if (!csv) return { body };
  // A file says nowhere that there would be more.
  if (given.limit === undefined && body.next_before !== null) {
    throw new SyncError(
      'invalid_request',
      `There are more than ${MAX_CSV_ROWS} rows: narrow them with from and to, or read pages with limit and before.`,
    );
  }
  return { body, table: 'logs' in body ? runsTable(body.logs) : changesTable(body.changes) };
}

async function read(
  database: Credential,
  asked: Asked,
  caller: string,
  log: Log,
): Promise<LogsAnswer['body']> {
  if (asked.run_id !== undefined) return readRunChanges(database, asked.run_id, asked);
  if (asked.external_id === undefined && asked.kennitala === undefined) {
    return readLogs(database, asked);
  }
  const { row: _row, facts: _facts, ...answer } = await readMember(database, asked);
  const message = 'somebody looked at a member';
  log('NOTICE', 'member_read', message, { caller, external_id: answer.member.external_id });
  return answer;
}

/** The rows of sync_log, newest first, a page at a time. Throws what pg throws. */
export async function readLogs(database: Credential, asked: Asked): Promise<LogPage> {
  const { limit = DEFAULT_LIMIT, before, status, sync_type, caller, from, to } = asked;
  const storedType = sync_type === 'scheduled' ? 'membership' : sync_type;
  // One row more than asked for tells whether there is a next page.
  const rows = await queryPooled<{ log: Row & { id: number } }>(
    database,
    syncLogs,
    [before, status, storedType, limit + 1, caller, from, to].map((value) => value ?? null),
  );
  const shown = rows.slice(0, limit).map(({ log }) => log);
  return {
    logs: shown.map(readableRun),
    next_before: rows.length > limit ? (shown.at(-1)?.id ?? null) : null,
  };
}

type Cell = string | number | null;

export interface Table {
  columns: string[];
  rows: Cell[][];
}

const runColumns = [
  'id',
  'sync_timestamp',
  'finished_at',
  'sync_type',
  'mode',
  'status',
  'members_fetched',
  'members_added',
  'members_updated',
  'members_reactivated',
  'members_removed',
  'members_verified',
  'members_suspended',
  'error_count',
  'duration_ms',
];
const detailColumns = ['caller', 'approved_by', 'undo'];

/** Runs, one a row, with who started and who approved them. */
function runsTable(logs: Row[]): Table {
  return {
    columns: [...runColumns, ...detailColumns, 'error'],
    rows: logs.map((run) => {
      const details = (run['details'] ?? {}) as Row;
      const { code } = (details['error'] ?? {}) as Row;
      return [
        ...runColumns.map((column) => cell(run[column])),
        ...detailColumns.map((column) => cell(details[column])),
        cell(code),
      ];
    }),
  };
}

const changeColumns = [
  'changed_at',
  'run_id',
  'sync_type',
  'action',
  'external_id',
  'kennitala',
  'name',
] as const;
const deciders = ['caller', 'approved_by', 'undoes', 'undone_by'] as const;

/** Changes, one a row; what changed is one cell: `name: Old → New`. */
function changesTable(changes: LoggedChange[]): Table {
  return {
    columns: [...changeColumns, 'changes', 'reason', ...deciders],
    rows: changes.map((change) => [
      ...changeColumns.map((column) => change[column]),
      change.fields.map((field) => describeField(change, field)).join('; '),
      change.reason,
      ...deciders.map((column) => change[column]),
    ]),
  };
}

function describeField({ before, after, action }: LoggedChange, field: string): string {
  const value = (values: Row) => String(values[field] ?? '–');
  if (action === 'add') return `${field}: ${value(after)}`;
  return `${field}: ${value(before)} → ${value(after)}`;
}

const cell = (value: unknown): Cell =>
  typeof value === 'number' ? value : typeof value === 'string' ? value : null;
