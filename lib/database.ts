import pg from 'pg';
import { isLoginRefused } from './databaseErrors.ts';
import { type Credential, withRenewal } from './secrets.ts';

/** Longest wait for a connection, in ms. */
const CONNECT_TIMEOUT_MS = 10_000;
/** One call at a time per instance needs one connection; the second is for the moment one dies. */
const POOLED_CONNECTIONS = 2;
const POOLED_IDLE_MS = 30_000;

/** What every connection of ours has in common, pooled or not. */
const connectionOptions = (connectionString: string) => ({
  connectionString,
  application_name: 'membership-sync',
  connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  keepAlive: true,
});

async function connectWith(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client(connectionOptions(connectionString));
  // Without a listener a connection that dies while idle would end the process; the next query reports it.
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/**
 * Opens one connection that belongs to the caller, who ends it. A login that is refused is tried once
 * more with the secret read again, so that a rotated password does not fail a run. Throws what pg throws.
 */
export async function connect(credential: Credential): Promise<pg.Client> {
  return withRenewal(credential, connectWith, { thrown: isLoginRefused });
}

/** Runs `work` on a connection of its own and ends it, whatever happens. */
export async function withConnection<T>(
  credential: Credential,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = await connect(credential);
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Runs `work` in one transaction: all of it or none. */
export async function inTransaction<T>(client: pg.Client, work: () => Promise<T>): Promise<T> {
  await client.query('begin');
  try {
    const result = await work();
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
}

let pool: { connectionString: string; connections: pg.Pool } | undefined;

// The one of this address; that of another address, which a rotated secret has left behind, is ended.
async function poolFor(connectionString: string): Promise<pg.Pool> {
  if (pool && pool.connectionString !== connectionString) await closePool();
  // Only now: two calls at once would open one each if they looked before they waited.
  pool ??= { connectionString, connections: openPool(connectionString) };
  return pool.connections;
}

function openPool(connectionString: string): pg.Pool {
  const opened = new pg.Pool({
    ...connectionOptions(connectionString),
    max: POOLED_CONNECTIONS,
    idleTimeoutMillis: POOLED_IDLE_MS,
    statement_timeout: 30_000,
    allowExitOnIdle: true,
  });
  // Without a listener a connection that dies while idle would end the process.
  opened.on('error', () => undefined);
  return opened;
}

/**
 * Runs one read on a pooled connection. The pool is opened by the first call and lives as long as the
 * instance. An instance without requests has no CPU, so its connections may have died unnoticed: a read
 * that meets a dead one is tried once more on a new one. Throws what pg throws.
 */
export async function queryPooled<Row extends pg.QueryResultRow>(
  database: Credential,
  statement: string,
  values: unknown[] = [],
): Promise<Row[]> {
  const query = async (connectionString: string) => {
    const connections = await poolFor(connectionString);
    return (await connections.query<Row>(statement, values)).rows;
  };
  const queryTwice = (connectionString: string) =>
    query(connectionString).catch((error: unknown) => {
      if (!isConnectionLost(error)) throw error;
      return query(connectionString);
    });
  return withRenewal(database, queryTwice, { thrown: isLoginRefused });
}

// pg's own words for a connection that ended under a query, and the server's for one that it ended.
function isConnectionLost(error: unknown): boolean {
  const { code = '', message = '' } = error as { code?: string; message?: string };
  return (
    ['ECONNRESET', 'EPIPE', '57P01', '57P02'].includes(code) ||
    /^Connection terminated/.test(message)
  );
}

/** Ends the pool's connections. */
export async function closePool(): Promise<void> {
  const closing = pool;
  pool = undefined;
  await closing?.connections.end();
}
