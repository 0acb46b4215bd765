import { asDatabaseUnavailable } from './databaseErrors.ts';
import { SyncError } from './errors.ts';

/**
 * The SyncError that stands for anything thrown while a request or a run went on. Once the signal has
 * aborted, an error of a library is only the echo of that. What nobody expected becomes `internal_error`,
 * without any detail, and keeps the original as its cause.
 */
export function toSyncError(thrown: unknown, signal: AbortSignal): SyncError {
  const known = thrown instanceof SyncError ? thrown : undefined;
  if (known && known.code !== 'internal_error') return known;
  const { aborted, reason } = signal;
  if (aborted && reason instanceof SyncError) {
    return new SyncError(reason.code, reason.message, { cause: thrown });
  }
  return (
    asDatabaseUnavailable(thrown) ??
    new SyncError('internal_error', 'Something went wrong that nobody expected. See the log.', {
      cause: thrown,
      runId: known?.runId,
    })
  );
}
