import type * as z from 'zod/mini';
import { queryPooled } from '../database.ts';
import type { Credential } from '../secrets.ts';
import type { logsParameters } from './parameters.ts';
import { readableRun } from './runLog.ts';
import syncLogs from './sql/log/sync_logs.sql';

const DEFAULT_LIMIT = 20;

export interface LogPage {
  logs: Record<string, unknown>[];
  /** Pass it as `before` for the next page; null on the last one. */
  next_before: number | null;
}

/** The rows of sync_log, newest first, a page at a time. Throws what pg throws. */
export async function readLogs(
  database: Credential,
  { limit = DEFAULT_LIMIT, before, status, sync_type }: z.output<typeof logsParameters>,
): Promise<LogPage> {
  const storedType = sync_type === 'scheduled' ? 'membership' : sync_type;
  // One row more than asked for tells whether there is a next page.
  const rows = await queryPooled<{ log: Record<string, unknown> & { id: number } }>(
    database,
    syncLogs,
    [before ?? null, status ?? null, storedType ?? null, limit + 1],
  );
  const shown = rows.slice(0, limit).map(({ log }) => log);
  return {
    logs: shown.map(readableRun),
    next_before: rows.length > limit ? (shown.at(-1)?.id ?? null) : null,
  };
}
