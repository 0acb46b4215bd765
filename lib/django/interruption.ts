import { SyncError } from '../errors.ts';

/** What an aborted signal throws: its own reason when that is one of our errors, else its equivalent. */
export function interruption(signal: AbortSignal): SyncError {
  const reason: unknown = signal.reason;
  if (reason instanceof SyncError) return reason;
  return isTimeout(reason)
    ? new SyncError('deadline_exceeded', 'The time for this run was over while Django was read.')
    : new SyncError('interrupted', 'The run was interrupted while Django was read.');
}

// What AbortSignal.timeout gives; its class may come from another realm.
function isTimeout(reason: unknown): boolean {
  return typeof reason === 'object' && (reason as Error | null)?.name === 'TimeoutError';
}

/** Throws the interruption of a signal that is aborted. */
export function throwIfInterrupted(signal: AbortSignal): void {
  if (signal.aborted) throw interruption(signal);
}

/** The promise, or the interruption as soon as the signal aborts, whatever the promise waits for. */
export async function untilInterrupted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: interrupted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(interruption(signal));
  if (signal.aborted) {
    onAbort();
  } else signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([interrupted, promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
