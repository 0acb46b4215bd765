import { isNativeError } from 'node:util/types';

/** Every code that an answer, a log line or a sync_log row can carry. docs/API.md explains each one. */
export type ErrorCode =
  | 'invalid_request'
  | 'unauthorized'
  | 'forbidden'
  | 'not_found'
  | 'method_not_allowed'
  | 'sync_in_progress'
  | 'plan_changed'
  | 'request_timeout'
  | 'payload_too_large'
  | 'unsupported_media_type'
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

/** The HTTP status of each code. */
export const statusOf: Record<ErrorCode, number> = {
  invalid_request: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  sync_in_progress: 409,
  plan_changed: 409,
  request_timeout: 408,
  payload_too_large: 413,
  unsupported_media_type: 415,
  internal_error: 500,
  abandoned: 500,
  django_unreachable: 502,
  django_unauthorized: 502,
  django_rate_limited: 502,
  django_invalid_response: 502,
  django_error: 502,
  database_unavailable: 503,
  secrets_unavailable: 503,
  interrupted: 503,
  deadline_exceeded: 504,
};

export interface SyncErrorOptions extends ErrorOptions {
  /** The run that failed, where there is one. */
  runId?: number | undefined;
  /** More fields of the error in the answer, such as the plan that is now in force. Never logged or stored. */
  extra?: Record<string, unknown> | undefined;
}

/**
 * The base of every error that we throw on purpose. Its message says what failed and what to do. It may be
 * shown to the caller and logged as it stands: it never holds a query string, the body of a reply, a secret
 * or a field of a member.
 */
export class SyncError extends Error {
  override readonly name: string = 'SyncError';
  readonly code: ErrorCode;
  readonly runId: number | undefined;
  readonly extra: Record<string, unknown>;

  constructor(code: ErrorCode, message: string, options: SyncErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.runId = options.runId;
    this.extra = options.extra ?? {};
  }
}

/** Whether this is an error of any realm: those of Node.js itself are of another one under a test runner. */
export const isError = (thrown: unknown): thrown is Error =>
  isNativeError(thrown) || thrown instanceof Error;
