import { tlsFailures, tlsRefusals } from './databaseUrl.ts';

/** Errors that mean one thing to whoever operates this. */
export interface Kind {
  /** SQLSTATEs of the server (a short one is a whole class), or codes of Node.js. */
  codes: string[];
  /** What pg says where there is no code. */
  message?: RegExp;
  /** What is said beside the code. A server may say it in another language: the next kind must do then. */
  says?: RegExp;
  /** The constraint that was broken, by PostgreSQL's name. */
  constraint?: RegExp;
  /** It came from inside a function, as that of a trigger: `where` says which, and perhaps with what values. */
  inFunction?: true;
  /** The codes are those of system calls: they count only where the call was one of a socket. */
  isSystem?: true;
  /** What it means and what to do. It never holds a value of DATABASE_URL. */
  words: string;
}

/** What a run is told behind a pooler that gives every transaction another session of the server. */
export const POOLER_SHARES_SESSIONS =
  'DATABASE_URL leads to a connection pooler in transaction mode (PgBouncer, or managed pooling of Cloud SQL), and a run needs a session of its own: set pool_mode = session there, or use the port of the database itself, usually 5432';

/** Where a trigger fails because of what it names. */
export const TRIGGER_FINDS_NOTHING =
  'A trigger of another service on our tables, or a function of a check or an index there, names something that is not found. Let it name its tables and functions with their schema, or set its search_path (alter function ... set search_path = public)';

/** The first that fits counts. PostgreSQL's manual, appendix A, lists the SQLSTATEs. */
export const kinds: Kind[] = [
  ...tlsRefusals,
  {
    codes: ['28'],
    message: /^SASL/,
    words:
      'The database refused the login: check user and password in DATABASE_URL, whether its secret was rotated, and whether this user may log in from here, with or without encryption',
  },
  // What PgBouncer says itself has one code for all of it, and is English everywhere.
  {
    codes: ['08P01'],
    says: /authentication failed|^no such user/,
    words:
      'The connection pooler refused the login: check user and password in DATABASE_URL, and whether the pooler knows them',
  },
  {
    codes: ['08P01'],
    says: /^no such database|^database .* does not exist/,
    words: 'The connection pooler knows no such database: check its name in DATABASE_URL',
  },
  {
    codes: ['08P01'],
    says: /unsupported startup parameter/,
    words:
      'The connection pooler refuses a parameter in DATABASE_URL: take out what comes after the ?, or name it in ignore_startup_parameters of the pooler',
  },
  {
    codes: ['08P01'],
    says: /statement pooling/,
    words: POOLER_SHARES_SESSIONS,
  },
  {
    codes: ['08P01'],
    says: /no more connections allowed|query_wait_timeout|login has been failing|server_login|connect failed/,
    words:
      'The connection pooler has no connection to the database for us: is the database running, and is the pool large enough',
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
  ...tlsFailures,
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
    codes: ['58'],
    words:
      'The database cannot read something of its own: a library that a setting names (session_preload_libraries), or a file. Its own log says which',
  },
  {
    codes: ['22P05', '22021'],
    words:
      'The encoding of the database has no such character: ask for another id, or move to a database in UTF-8, which has them all',
  },
  {
    codes: ['57P03'],
    words: 'The database is starting or stopping: try again in a minute',
  },
  {
    codes: ['08', '57P01', '57P02', '57P05', '25P03', '25P04'],
    message:
      /^(Connection terminated|Client has encountered a connection error|Client was closed|Received unexpected)/,
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
    codes: ['42P01', '42883', '42704', '42703', '3F000'],
    inFunction: true,
    words: TRIGGER_FINDS_NOTHING,
  },
  {
    codes: ['P0', '21', '22', '23', '27', '44'],
    inFunction: true,
    words:
      'A trigger of another service on a table of ours, such as sync_log, refuses what is written there: let it pass, or drop it',
  },
  {
    codes: ['42P10', '55000'],
    words:
      'PostgreSQL cannot change our tables as others have set them up: the unique key of members.kennitala must be as our migrations made it (not deferrable, not partial, for all partitions), and a publication needs a replica identity on each table of ours that it has, and no row filter on other columns',
  },
  {
    codes: ['0A000'],
    words:
      'PostgreSQL cannot do this with our tables as they are: a rule (create rule) on members or another one is in the way. Let a trigger do what the rule does, and drop it',
  },
  {
    codes: ['42P01', '42703', '3F000'],
    words:
      'The database does not have the schema of this version: run npm run migrate against it, or the step migrate of deploy.sh',
  },
  {
    codes: ['42804', '42883', '42846', '22P02', '42P18'],
    words:
      'A column of our tables has another type than our migrations gave it, or one of our functions is missing: let the type be as in the folder migrations (alter table ... alter column ... type ...), and use a view where another service needs another one',
  },
  {
    codes: ['42501'],
    says: /row-level security/,
    words:
      'Row level security could hide rows of our tables from the user in DATABASE_URL: let it own them or have BYPASSRLS, or switch it off there',
  },
  {
    codes: ['42501'],
    words:
      'The user in DATABASE_URL lacks a right: grant what docs/setup/MEMBERSHIP_SYNC_DEPLOYMENT.md lists, again after each migration that adds a table',
  },
  {
    codes: ['25006'],
    words:
      'The database takes no changes: check that DATABASE_URL is not that of a read replica, that the disk of the instance is not full, and that default_transaction_read_only is off for this role and database',
  },
  {
    codes: ['2200H'],
    words:
      'A sequence of our tables has no number left: let it have larger ones (alter sequence ... no maxvalue), or start over',
  },
  {
    codes: ['23505'],
    constraint: /^(sync_log|notification_outbox)_pkey$/,
    words:
      'A sequence of our tables is behind the numbers that are there: select setval(pg_get_serial_sequence(table, column), max(column)) from table',
  },
  {
    codes: ['55P03'],
    words:
      'Another service held a lock on members, or on another table of ours, for too long, and nothing was changed: the next run tries again; pg_locks shows who it is',
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
  {
    codes: ['23502', '23503', '23514', '23P01'],
    words:
      'A rule of the database on a table of ours, such as a constraint on sync_log, refuses what is written there: let it pass, or drop it',
  },
];
