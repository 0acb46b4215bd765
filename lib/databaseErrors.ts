import { SyncError } from './errors.ts';

// What the socket or the name lookup reports when the server is not there.
const network = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT',
  'EACCES',
]);

// SQLSTATEs that mean "no usable connection": connection exceptions, logins, unknown database,
// too many connections, and the server shutting down or starting up.
const states = /^(08...|28...|3D000|53300|57P0[1-5])$/;

// What pg says without any code.
const messages =
  /^(Connection terminated|Client has encountered a connection error|timeout exceeded when trying to connect|timeout expired|The server does not support SSL|Client was closed)/i;

/**
 * The SyncError for a driver's error that means the database cannot be reached or refuses us, or
 * undefined for anything else: an error in a statement is a bug, and not the server's absence.
 */
export function asDatabaseUnavailable(thrown: unknown): SyncError | undefined {
  if (thrown instanceof AggregateError) {
    // A host name with several addresses: one error per address, all of the same kind.
    return thrown.errors.some((error) => asDatabaseUnavailable(error)) ? wrap(thrown) : undefined;
  }
  return thrown instanceof Error && isConnectionError(thrown) ? wrap(thrown) : undefined;
}

/** Whether the server refused the user name or the password, which a rotated secret may cure. */
export function isLoginRefused(thrown: unknown): boolean {
  return codeOf(thrown).startsWith('28');
}

function isConnectionError(error: Error): boolean {
  const code = codeOf(error);
  if (states.test(code)) return true;
  // A file that is missing is our bug; a socket that is missing is the database's absence.
  if (network.has(code)) return 'syscall' in error && isSocketCall(error.syscall);
  return code === '' && messages.test(error.message);
}

const isSocketCall = (syscall: unknown) =>
  typeof syscall === 'string' && /^(connect|read|write|getaddrinfo|queryA)/.test(syscall);

function codeOf(thrown: unknown): string {
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  return typeof code === 'string' ? code : '';
}

const wrap = (cause: Error) =>
  new SyncError('database_unavailable', `The database cannot be used (${reason(cause)}).`, {
    cause,
  });

const reason = (cause: Error) => codeOf(cause) || 'the connection was lost or timed out';
