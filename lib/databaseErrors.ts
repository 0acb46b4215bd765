import { isError, SyncError } from './errors.ts';

interface Kind {
  /** SQLSTATEs of the server (a short one is a whole class), or codes of Node.js. */
  codes: string[];
  /** What pg says where there is no code. */
  message?: RegExp;
  /** The codes are those of system calls: they count only where the call was one of a socket. */
  isSystem?: true;
  /** What it means and what to do. It never holds a value of DATABASE_URL. */
  words: string;
}

// The first that fits counts. PostgreSQL's manual, appendix A, lists the SQLSTATEs.
const kinds: Kind[] = [
  {
    codes: ['28'],
    message: /^SASL/,
    words:
      'The database refused the login: check user and password in DATABASE_URL, whether its secret was rotated, and whether this user may log in from here',
  },
  {
    codes: ['3D000', '57P04'],
    words: 'There is no such database: check its name in DATABASE_URL',
  },
  {
    codes: ['ENOENT', 'EACCES'],
    isSystem: true,
    words:
      'There is no socket where DATABASE_URL says: in the cloud, the Cloud SQL instance is not attached to this service (run the step cloudsql of deploy.sh); elsewhere, the server is not running',
  },
  {
    codes: ['ECONNREFUSED'],
    isSystem: true,
    words:
      'The database does not take connections: is it running, are host and port in DATABASE_URL right, and may this service account use the Cloud SQL instance (roles/cloudsql.client)',
  },
  {
    codes: ['ENOTFOUND', 'EAI_AGAIN'],
    isSystem: true,
    words: 'The host in DATABASE_URL is not known: check its name, and the DNS of this network',
  },
  {
    codes: ['ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH'],
    isSystem: true,
    message: /timeout exceeded when trying to connect|^timeout expired|connection timeout/i,
    words:
      'The database did not answer in time: check the host in DATABASE_URL, the firewall, whether this service reaches its network, and how busy it is',
  },
  {
    codes: [
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'SELF_SIGNED_CERT_IN_CHAIN',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
      'CERT_HAS_EXPIRED',
      'ERR_TLS_CERT_ALTNAME_INVALID',
    ],
    message: /^(The server does not support SSL|There was an error establishing an SSL)/,
    words:
      'The encrypted connection to the database failed: check its certificate, and sslmode in DATABASE_URL',
  },
  {
    codes: ['53300'],
    words:
      'The database has too many connections: see pg_stat_activity for who holds them, or raise max_connections',
  },
  {
    codes: ['53'],
    words: 'The database has run out of disk space or memory: give the instance more',
  },
  {
    codes: ['57P03'],
    words: 'The database is starting or stopping: try again in a minute',
  },
  {
    codes: ['08', '57P01', '57P02', '57P05', '25P03', '25P04'],
    message: /^(Connection terminated|Client has encountered a connection error|Client was closed)/,
    words:
      'The connection to the database was lost, as when it restarts: the next call makes a new one',
  },
  {
    codes: ['ECONNRESET', 'ECONNABORTED', 'EPIPE'],
    isSystem: true,
    words:
      'The connection to the database was lost, as when it restarts: the next call makes a new one',
  },
  {
    codes: ['42P01', '42703', '3F000'],
    words:
      'The database does not have the schema of this version: run npm run migrate against it, or the step migrate of deploy.sh',
  },
  {
    codes: ['42501'],
    words:
      'The user in DATABASE_URL lacks a right: grant what docs/setup/MEMBERSHIP_SYNC_DEPLOYMENT.md lists, again after each migration that adds a table',
  },
  {
    codes: ['25006'],
    words:
      'The database takes no changes: check that DATABASE_URL is not that of a read replica, and that the disk of the instance is not full',
  },
  {
    codes: ['55P03'],
    words:
      'Another service held a lock on members for longer than 10 seconds, and nothing was changed: the next run tries again; pg_locks shows who it is',
  },
  {
    codes: ['40P01', '40001'],
    words:
      'Another service changed the same members at the same time, and nothing was changed here: the next run tries again',
  },
  {
    codes: ['57014'],
    words:
      'A statement took longer than it may, or an admin cancelled it, and nothing was changed: see pg_stat_activity and pg_locks for what it waits for',
  },
];

/**
 * The SyncError for a driver's error that means the database cannot be reached, refuses us or cannot do
 * now what we ask, or undefined for anything else: such an error is a bug.
 */
export function asDatabaseUnavailable(thrown: unknown): SyncError | undefined {
  // A host name with several addresses: one error per address, all of much the same kind.
  const errors = isError(thrown) && 'errors' in thrown ? (thrown.errors as unknown[]) : [thrown];
  for (const error of errors) {
    const kind = isError(error) && kindOf(error);
    if (!kind) continue;
    const code = codeOf(error);
    return new SyncError('database_unavailable', `${kind.words}${code && ` (${code})`}.`, {
      cause: thrown,
    });
  }
  return undefined;
}

/** Whether the server refused the user name or the password, which a rotated secret may cure. */
export function isLoginRefused(thrown: unknown): boolean {
  return codeOf(thrown).startsWith('28');
}

function kindOf(error: Error): Kind | undefined {
  const code = codeOf(error);
  if (code === '') return kinds.find(({ message }) => message?.test(error.message));
  // A file that is missing is our bug; a socket that is missing is the database's absence.
  const isSocket = 'syscall' in error && isSocketCall(error.syscall);
  return kinds.find(
    ({ codes, isSystem = false }) =>
      codes.some((one) => fits(code, one)) && (!isSystem || isSocket),
  );
}

// Two characters name a class of SQLSTATEs, which have five.
const fits = (code: string, one: string) =>
  one.length === 2 ? /^[0-9A-Z]{5}$/.test(code) && code.startsWith(one) : code === one;

const isSocketCall = (syscall: unknown) =>
  typeof syscall === 'string' && /^(connect|read|write|getaddrinfo|queryA)/.test(syscall);

function codeOf(thrown: unknown): string {
  const code = isError(thrown) && 'code' in thrown ? thrown.code : undefined;
  return typeof code === 'string' ? code : '';
}
