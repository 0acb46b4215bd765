import type * as z from 'zod/mini';
import { queryPooled } from '../database.ts';
import { SyncError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Credential } from '../secrets.ts';
import { type ChangePage, type MemberInWords, readMember, readRunChanges } from './history.ts';
import { changesTable, runsTable, type Table } from './logTables.ts';
import { checkLogsRequest, type logsParameters, MAX_CSV_ROWS } from './parameters.ts';
import { readableRun } from './runLog.ts';
import syncLogs from './sql/log/sync_logs.sql';

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
