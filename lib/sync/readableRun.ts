/**
 * A sync_log row as JSON: `sync_timestamp` is stored without a zone and is UTC, and is told as such.
 * Times of timestamptz columns carry their zone already.
 */
export function readableRun(row: Record<string, unknown>): Record<string, unknown> {
  const { sync_timestamp, ...rest } = row;
  const started =
    typeof sync_timestamp === 'string' ? new Date(`${sync_timestamp}Z`).toISOString() : null;
  return { ...rest, sync_timestamp: started };
}
