/** Every code that an answer, a log line or a sync_log row can carry. docs/API.md explains each one. */
export type ErrorCode =
  | 'invalid_request'
  | 'unauthorized'
  | 'forbidden'
  | 'not_found'
  | 'method_not_allowed'
  | 'sync_in_progress'
  | 'plan_changed'
  | 'payload_too_large'
  | 'internal_error'
  | 'django_unreachable'
  | 'django_unauthorized'
  | 'django_rate_limited'
  | 'django_invalid_response'
  | 'django_error'
  | 'database_unavailable'
  | 'secrets_unavailable'
  | 'interrupted'
  | 'abandoned'
  | 'deadline_exceeded';

/**
 * The base of every error that we throw on purpose. Its message may be shown to the caller and
 * logged as it stands: it says what failed and what to do, and never holds a query string, a
 * response body, a secret or a field of a member.
 */
export class SyncError extends Error {
  override readonly name: string = 'SyncError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The SyncError in a thrown value, or undefined when it is anything else (a bug, a library's error). */
export function asSyncError(thrown: unknown): SyncError | undefined {
  return thrown instanceof SyncError ? thrown : undefined;
}
