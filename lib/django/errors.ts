import { type ErrorCode, SyncError } from '../errors.ts';

interface Details {
  code: ErrorCode;
  path: string;
  retryable: boolean;
  cause?: unknown;
  /** For the caller alone, not for a log. */
  extra?: Record<string, unknown> | undefined;
}

/**
 * The base of what a call to the register throws. The HTTP library's own error is never its cause:
 * it holds the request, and with it the key. Only its code and message are kept.
 */
export class DjangoError extends SyncError {
  override readonly name: string = 'DjangoError';
  /** The path that was asked for, without its query. */
  readonly path: string;
  /** Whether the same request may succeed later. */
  readonly retryable: boolean;

  constructor({ code, path, retryable, ...options }: Details, message: string) {
    super(code, message, options);
    this.path = path;
    this.retryable = retryable;
  }
}

/** The connection failed, was cut, or the body arrived damaged. */
export class DjangoNetworkError extends DjangoError {
  override readonly name = 'DjangoNetworkError';

  constructor(path: string, cause: { code: string | undefined; message: string }) {
    super(
      {
        code: 'django_unreachable',
        path,
        retryable: true,
        cause: Object.assign(new Error(cause.message), { code: cause.code }),
      },
      `GET ${path} failed before its reply was complete (${cause.code ?? 'no code'}). Check DJANGO_BASE_URL and that Django can be reached from here.`,
    );
  }
}

/** No complete reply within DJANGO_TIMEOUT_MS, which includes connecting and reading the whole body. */
export class DjangoTimeoutError extends DjangoError {
  override readonly name = 'DjangoTimeoutError';

  constructor(path: string, timeoutMs: number) {
    super(
      { code: 'django_unreachable', path, retryable: true },
      `GET ${path} was not answered completely within ${timeoutMs} ms. Check Django's load, or raise DJANGO_TIMEOUT_MS or lower DJANGO_PAGE_SIZE.`,
    );
  }
}

interface HttpDetails {
  retryAfterMs?: number | undefined;
  advice?: string;
  extra?: Record<string, unknown>;
  byApi?: boolean;
  stale?: boolean;
  isElsewhere?: boolean;
}

/** A complete reply with a status other than 200. */
export class DjangoHttpError extends DjangoError {
  override readonly name = 'DjangoHttpError';
  readonly status: number;
  /** How long the register asked us to wait (429 and 503), in milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** Whether the body is in the API's own words, and not in those of a gateway before it. */
  readonly byApi: boolean;
  /** Whether a cache had kept the reply for more than a minute. */
  readonly stale: boolean;
  /** Whether it is a redirect of this origin that was not followed. */
  readonly isElsewhere: boolean;

  constructor(path: string, status: number, details: HttpDetails) {
    const {
      retryAfterMs,
      advice = adviceFor(status),
      byApi = false,
      stale = false,
      isElsewhere = false,
      extra,
    } = details;
    const asked =
      retryAfterMs === undefined
        ? ''
        : ` and asked to wait ${Math.ceil(retryAfterMs / 1000)} seconds`;
    super(
      {
        code: codeFor(status),
        path,
        retryable: status === 408 || status === 429 || status >= 500,
        extra,
      },
      `GET ${path} answered ${status}${asked}. ${advice}`,
    );
    this.status = status;
    this.retryAfterMs = retryAfterMs;
    this.byApi = byApi;
    this.stale = stale;
    this.isElsewhere = isElsewhere;
  }
}

/** A reply 200 that is no page of members: its type, its size, its JSON or its shape. */
export class DjangoShapeError extends DjangoError {
  override readonly name = 'DjangoShapeError';

  constructor(path: string, problem: string, options: { retryable?: boolean } = {}) {
    const retryable = options.retryable ?? false;
    super({ code: 'django_invalid_response', path, retryable }, `GET ${path} answered ${problem}`);
  }
}

/** The list changed while it was walked: what was read may have gaps, and only a new walk is certain. */
export class DjangoListChangedError extends DjangoError {
  override readonly name = 'DjangoListChangedError';

  constructor(path: string, problem: string) {
    super(
      { code: 'django_invalid_response', path, retryable: false },
      `The register changed while GET ${path} was walked: ${problem}. It has to be read again from the start.`,
    );
  }
}

function codeFor(status: number): ErrorCode {
  if (status === 401 || status === 403) return 'django_unauthorized';
  return status === 429 ? 'django_rate_limited' : 'django_error';
}

// A wrong scheme is no error to Django REST framework but an anonymous call, and whether that is 401
// or 403 depends on which authentication class is listed first (its authentication guide).
function adviceFor(status: number): string {
  switch (status) {
    case 401:
      return 'The key was refused: check DJANGO_API_KEY, and DJANGO_AUTH_SCHEME (Bearer, Token or Basic).';
    case 403:
      return 'The credentials were accepted but may not read members, or were not recognised: check the permissions of the key, DJANGO_API_KEY, and DJANGO_AUTH_SCHEME (Bearer, Token or Basic).';
    case 404:
      return 'Check DJANGO_BASE_URL and DJANGO_MEMBERS_PATH.';
    case 429:
      return "Raise the key's throttle rate in Django, or lower DJANGO_CONCURRENCY or raise DJANGO_PAGE_SIZE.";
    default:
      return status >= 500
        ? "Django or a proxy before it failed: see Django's own log."
        : 'Check DJANGO_BASE_URL, DJANGO_MEMBERS_PATH and the request that Django expects.';
  }
}
