import pg from 'pg';
import { connectionOptions } from './database.ts';
import { isLoginRefused } from './databaseErrors.ts';
import type { Credential } from './secrets.ts';

/** One call at a time per instance needs one connection; the second is for the moment one dies. */
const CONNECTIONS = 2;
const IDLE_MS = 30_000;

let pool: pg.Pool | undefined;

function open(connectionString: string): pg.Pool {
  const opened = new pg.Pool({
    ...connectionOptions(connectionString),
    max: CONNECTIONS,
    idleTimeoutMillis: IDLE_MS,
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
  const connectionString = await database.get();
  // Only now: two calls at once would open one each if they looked before they waited.
  pool ??= open(connectionString);
  try {
    return (await pool.query<Row>(statement, values)).rows;
  } catch (error) {
    const renewed = isLoginRefused(error) ? await database.refresh() : undefined;
    if (renewed !== undefined) {
      await closePool();
      pool = open(renewed);
    } else if (!isConnectionLost(error)) throw error;
    return (await pool.query<Row>(statement, values)).rows;
  }
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
  await closing?.end();
}
