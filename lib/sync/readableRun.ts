/**
 * A sync_log row as JSON, with every time in UTC, to the millisecond and with its Z, whatever zone the
 * server has: `sync_timestamp` is stored without a zone and is UTC; the others are timestamptz, which
 * PostgreSQL writes in its own.
 */
export function readableRun(row: Record<string, unknown>): Record<string, unknown> {
  const { sync_timestamp, finished_at, register_mark } = row;
  return {
    ...row,
    sync_timestamp: utc(typeof sync_timestamp === 'string' ? `${sync_timestamp}Z` : null),
    finished_at: utc(finished_at),
    register_mark: utc(register_mark),
  };
}

const utc = (time: unknown) => (typeof time === 'string' ? new Date(time).toISOString() : null);
