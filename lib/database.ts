import { Socket } from 'node:net';
import pg from 'pg';
import { endOnNonsense, isConnectionLost, isLoginRefused } from './databaseErrors.ts';
import { parseDatabaseUrl } from './databaseUrl.ts';
import { type Credential, withRenewal } from './secrets.ts';

/** Longest wait for a connection, in ms. */
const CONNECT_TIMEOUT_MS = 10_000;
/** After so many ms of silence the kernel asks the other side for a sign of life; 0 would be two hours. */
const KEEP_ALIVE_MS = 30_000;
/** Longest farewell, in ms: a peer that has gone silent never replies to it. */
const END_TIMEOUT_MS = 2_000;

/**
 * What results depend on, whatever postgresql.conf, ALTER DATABASE and ALTER ROLE say: how values are written
 * and read (client_encoding to array_nulls), which rows and functions are seen (row_security = off refuses where it
 * would hide rows; nobody but us writes to pg_temp), what a transaction sees, whether an error ends the session,
 * and that no parameter gets into the server's log.
 */
const settings = {
  search_path: 'pg_catalog, pg_temp',
  client_encoding: `'UTF8'`,
  timezone: `'UTC'`,
  datestyle: `'ISO, YMD'`,
  intervalstyle: `'postgres'`,
  bytea_output: `'hex'`,
  standard_conforming_strings: 'on',
  array_nulls: 'on',
  row_security: 'off',
  default_transaction_isolation: `'read committed'`,
  exit_on_error: 'off',
  log_parameter_max_length_on_error: '0',
};

// With it a server may refuse views, and ours are views. Only newer releases know it.
const VIEWS = 'restrict_nonsystem_relation_kind';

/** Statements that make these settings, for the session or, locally, for the transaction. */
export const setting = (values: Record<string, string>, scope: 'session' | 'local' = 'session') =>
  [
    ...Object.entries({ ...settings, ...values }).map(
      ([name, value]) => `set ${scope} ${name} = ${value};`,
    ),
    `select set_config('${VIEWS}', '', ${scope === 'local'}) where current_setting('${VIEWS}', true) <> '';`,
  ].join('\n');

/** A connection that can be given up at once, and whose end never waits for a peer that has gone silent. */
export class Connection extends pg.Client {
  readonly #socket: Socket;
  /** How long the server lets two wait for each other before it ends one of them, in ms. */
  deadlockTimeoutMs = 1_000;

  constructor(config: pg.ClientConfig) {
    const socket = new Socket();
    super({ ...config, stream: () => socket });
    this.#socket = socket;
    endOnNonsense(this);
    // Without a listener a connection that dies while idle would end the process; the next query reports it.
    this.on('error', () => undefined);
  }

  /** Ends it without a word to the server: whatever waits for a reply fails now. */
  destroy(): void {
    this.#socket.destroy();
  }

  override end(): Promise<void>;
  override end(callback: (error: Error) => void): void;
  override end(callback?: (error: Error) => void): Promise<void> | undefined {
    setTimeout(() => this.destroy(), END_TIMEOUT_MS).unref();
    return callback ? (super.end(callback) as undefined) : super.end();
  }
}

/** What every connection of ours has in common, pooled or not. */
const configOf = (url: string, connectionTimeoutMillis = CONNECT_TIMEOUT_MS): pg.ClientConfig => ({
  ...parseDatabaseUrl(url, pg.Client),
  connectionTimeoutMillis,
  keepAlive: true,
  keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
});

/**
 * Opens one connection that belongs to the caller, who ends it. None of our settings are made yet: behind a
 * pooler they could meet others. A login that is refused is tried once more with the secret read again, so
 * that a rotated password does not fail a run. Throws what pg throws.
 */
export async function connect(credential: Credential, timeoutMs?: number): Promise<Connection> {
  const connectWith = async (url: string) => {
    const connection = new Connection(configOf(url, timeoutMs));
    await connection.connect();
    return connection;
  };
  return withRenewal(credential, connectWith, { thrown: isLoginRefused });
}

/**
 * Runs `work` on a connection of its own and ends it, whatever happens. After `limitMs` in all the connection
 * is given up, and the work fails as with a lost one.
 */
export async function withConnection<T>(
  credential: Credential,
  limitMs: number,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  const started = performance.now();
  const connection = await connect(credential, Math.min(limitMs, CONNECT_TIMEOUT_MS));
  const left = limitMs - (performance.now() - started);
  try {
    return await within(left, connection, work(connection));
  } finally {
    await connection.end().catch(() => undefined);
  }
}

/** Gives the connection up when the work takes longer: then it fails as with a lost one. */
async function within<T>(ms: number, connection: Connection, work: Promise<T>): Promise<T> {
  const timer = setTimeout(() => connection.destroy(), Math.max(ms, 0));
  try {
    return await work;
  } finally {
    clearTimeout(timer);
  }
}

/** Runs `work` in one transaction: all of it or none. */
export async function inTransaction<T>(client: pg.Client, work: () => Promise<T>): Promise<T> {
  await client.query('begin');
  return ending(client, work);
}

/** What an error of a commit has beside its own. */
const atCommit = { atCommit: true };

async function ending<T>(client: pg.Client, work: () => Promise<T>): Promise<T> {
  try {
    const result = await work();
    // Where the reply is lost, nobody knows whether it was done.
    await client.query('commit').catch((error) => Promise.reject(Object.assign(error, atCommit)));
    return result;
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
}

/** What a statement outside a run may take, and in ms with its reply on the way. */
const limits = {
  statement_timeout: `'20s'`,
  lock_timeout: `'4s'`,
  idle_in_transaction_session_timeout: `'30s'`,
};
const STATEMENT_MS = 25_000;

/**
 * Runs one statement in a transaction of its own, which alone has our settings: behind a pooler the backend
 * is another's afterwards. The connection is given up when there is no reply in `checkMs` to its beginning,
 * or in 25 seconds to the statement. Throws what pg throws.
 */
export async function queryOnce<Row extends pg.QueryResultRow>(
  connection: Connection,
  statement: string,
  values: unknown[] = [],
  { begin = 'begin', checkMs = STATEMENT_MS } = {},
): Promise<pg.QueryResult<Row>> {
  const beginning = connection.query(`${begin}; ${setting(limits, 'local')}`);
  await within(checkMs, connection, beginning);
  const work = ending(connection, () => connection.query<Row>(statement, values));
  return within(STATEMENT_MS, connection, work);
}

/** One call at a time per instance needs one connection; the second is for the moment one dies. */
const POOLED_CONNECTIONS = 2;
const POOLED_IDLE_MS = 30_000;
/** How long a connection that was idle may take to prove that it is alive, in ms. */
export const CHECK_MS = 3_000;

let pool: { url: string; connections: pg.Pool } | undefined;
/** Pooled connections that have been of use before, and so may have died since. */
const used = new WeakSet<Connection>();

// The one of this address; that of another address, which a rotated secret has left behind, is ended.
function poolFor(url: string): pg.Pool {
  if (pool?.url !== url) closePool().catch(() => undefined);
  pool ??= { url, connections: openPool(url) };
  return pool.connections;
}

function openPool(url: string): pg.Pool {
  const opened = new pg.Pool({
    ...configOf(url),
    // Its type leaves out what it hands over: the configuration.
    Client: Connection as unknown as new () => pg.ClientBase,
    max: POOLED_CONNECTIONS,
    idleTimeoutMillis: POOLED_IDLE_MS,
    allowExitOnIdle: true,
  });
  // Without a listener a connection that dies while idle would end the process.
  opened.on('error', () => undefined);
  return opened;
}

/**
 * Runs one read on a pooled connection. The pool is opened by the first call and lives as long as the
 * instance. An instance without requests has no CPU, so its connections may have died unnoticed: a read
 * that meets a dead one is tried once more on a new one. Throws what pg throws, within 40 seconds.
 */
export async function queryPooled<Row extends pg.QueryResultRow>(
  database: Credential,
  statement: string,
  values: unknown[] = [],
): Promise<Row[]> {
  const read = (url: string) => readFrom<Row>(poolFor(url), statement, values);
  const readTwice = (url: string) =>
    read(url).catch((error: unknown) => {
      if (!isConnectionLost(error)) throw error;
      // All of it: where one connection has died, the other has as well. What is at work goes on.
      closePool().catch(() => undefined);
      return read(url);
    });
  return withRenewal(database, readTwice, { thrown: isLoginRefused });
}

async function readFrom<Row extends pg.QueryResultRow>(
  from: pg.Pool,
  statement: string,
  values: unknown[],
): Promise<Row[]> {
  const client = await from.connect();
  const connection = client as pg.ClientBase as Connection;
  const check = used.has(connection) ? { checkMs: CHECK_MS } : {};
  used.add(connection);
  let failed = true;
  try {
    const options = { begin: 'begin read only', ...check };
    const { rows } = await queryOnce<Row>(connection, statement, values, options);
    failed = false;
    return rows;
  } finally {
    // One that failed is ended, and with it whatever is left of the transaction.
    client.release(failed);
  }
}

/** Ends the pool's connections. */
export async function closePool(): Promise<void> {
  const closing = pool;
  pool = undefined;
  await closing?.connections.end();
}
