import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { type Connection, connect, queryOnce, setting, withConnection } from '../database.ts';
import { POOLER_SHARES_SESSIONS } from '../databaseWords.ts';
import { SyncError } from '../errors.ts';
import { chooseMode } from './mode.ts';
import { trackProgress } from './runLog.ts';
import endSession from './sql/session/end_session.sql';
import findPlanted from './sql/session/find_planted.sql';
import inspectBackend from './sql/session/inspect_backend.sql';
import { createStaging, PINNED, refusePlacement } from './staging.ts';
import type { Run, StartedRun, SyncContext } from './types.ts';

/** Measures from now on, in whole ms, by a clock that never jumps. */
export function stopwatch(): () => number {
  const started = performance.now();
  return () => Math.round(performance.now() - started);
}

/** How often a session that waits for the register shows that somebody is behind it, in ms. */
const SIGN_OF_LIFE_MS = 30_000;

// A statement that waits for another service's lock gives up instead of queueing readers behind it. A session
// that shows no sign of life for two minutes is ended by the server, and with it the lock: its process is
// frozen or cut off. Keepalives find out within a minute that our machine is gone. Temporary tables have no
// statistics: hashing is right at every size, a merge join would sort both sides first. And disks have no
// arms any more: a few members are found through an index, not by reading all of them.
const settings = {
  application_name: `'membership-sync'`,
  lock_timeout: `'10s'`,
  statement_timeout: `'10min'`,
  idle_session_timeout: `'120s'`,
  idle_in_transaction_session_timeout: `'60s'`,
  tcp_keepalives_idle: '20',
  tcp_keepalives_interval: '10',
  tcp_keepalives_count: '3',
  tcp_user_timeout: `'60s'`,
  default_table_access_method: 'heap',
  work_mem: `'64MB'`,
  jit: 'off',
  enable_hashjoin: 'on',
  enable_mergejoin: 'off',
  random_page_cost: '1.1',
};

// Not known to every server, so only where it is there; and the mark by which the session is known again.
const marks = `select set_config('transaction_timeout', '0', false)
    where current_setting('transaction_timeout', true) is not null;
  select set_config('membership_sync.backend', pg_backend_pid()::text, false),
    set_config('membership_sync.writing_path', current_setting('search_path'), false)`;

/**
 * Opens the one connection that a run lives on. The lock, the temporary tables and the transaction all
 * belong to it: when it dies, all of them are gone together, and the run cannot go on without the lock.
 * When the context's signal aborts, it is given up, and the server is asked to end the session at once.
 * Throws what pg throws, and `database_unavailable` behind a pooler that shares sessions, before anything
 * is done there.
 */
export async function openSession({ secrets, signal, log }: SyncContext): Promise<Connection> {
  const connection = await connect(secrets.DATABASE_URL);
  try {
    const { pid, deadlock_timeout_ms, schema_open, has_strangers, is_citus } =
      await lookAt<Backend>(connection, inspectBackend);
    const { planted } = has_strangers ? await lookAt<Planted>(connection, findPlanted) : nothing;
    connection.deadlockTimeoutMs = deadlock_timeout_ms;
    endOnAbort(connection, pid, { secrets, signal });
    // A pooler says a number of its own in the place of the session's.
    if ((connection as { processID?: number | null }).processID !== pid) {
      await refuseSharedSessions(connection, pid, secrets);
      // What an earlier user of this session has left behind, where the pooler does not see to it.
      await connection.query('discard all');
    }
    // Others' triggers may name their tables without a schema, but not where strangers can put theirs.
    const isOpen = schema_open || planted.length > 0;
    const search_path = isOpen ? PINNED : 'pg_catalog, public, pg_temp';
    await connection.query(`${setting({ ...settings, search_path })} ${marks}`);
    // Refused where an earlier user of the session had temporary tables with another size.
    await connection.query(`set temp_buffers = '64MB'`).catch(() => undefined);
    if (schema_open) log('WARNING', 'schema_open', open);
    if (planted.length > 0) log('WARNING', 'schema_open', plantedThere, { planted });
    if (is_citus) await refusePlacement(connection);
    showSignsOfLife(connection);
    return connection;
  } catch (error) {
    await connection.end().catch(() => undefined);
    throw error;
  }
}

const open =
  'anybody who can log in may create functions and tables in schema public, which other roles then run: revoke create on schema public from public (docs/examples/grants.sql)';
const plantedThere =
  "schema public has functions or operators with the names of PostgreSQL's or ours, and their owner is neither an admin nor the owner of members: see what they do, and drop them";

interface Backend {
  pid: number;
  deadlock_timeout_ms: number;
  schema_open: boolean;
  /** Others than admins have functions or operators in schema public. */
  has_strangers: boolean;
  is_citus: boolean;
}

interface Planted {
  /** Functions and operators of strangers that could be run for others. */
  planted: string[];
}

const nothing: Planted = { planted: [] };

// Whatever is set here is gone with the transaction: who else uses this session is not known yet.
async function lookAt<Found>(connection: Connection, statement: string): Promise<Found> {
  const results = await connection.query(`begin; ${setting({}, 'local')} ${statement}; commit`);
  // One for each statement.
  const found = (results as unknown as pg.QueryResult[]).flatMap(({ rows }) => rows);
  return found.at(-1) as Found;
}

/** How many connections look for the session that ours has just used: a pooler may be several processes. */
const LOOKS = 6;
/** How long one of them waits for a session of its own, in ms. A small pool may have none to give. */
const LOOK_MS = 1_000;

// In transaction mode a session is anybody's as soon as a transaction is over: a second connection gets the
// one that ours had, or ours gets another while the second keeps it.
async function refuseSharedSessions(
  connection: Connection,
  pid: number,
  { DATABASE_URL }: SyncContext['secrets'],
): Promise<void> {
  const isShared = async (other: Connection) => {
    await other.query('begin');
    // In this order: where there is one session for all, ours would wait for it in vain.
    const shared = (await pidOf(other)) === pid || (await pidOf(connection)) !== pid;
    await other.query('rollback');
    return shared;
  };
  for (let look = 0; look < LOOKS; look++) {
    const shared = await withConnection(DATABASE_URL, LOOK_MS, isShared).catch(
      (error: Error) => /statement pooling/.test(error.message) || undefined,
    );
    if (shared) throw new SyncError('database_unavailable', `${POOLER_SHARES_SESSIONS}.`);
    if (shared === undefined) return;
  }
}

async function pidOf(connection: Connection): Promise<number | undefined> {
  const statement = 'select pg_catalog.pg_backend_pid() as pid';
  const { rows } = await connection.query<{ pid: number }>(statement);
  return rows[0]?.pid;
}

function endOnAbort(
  connection: Connection,
  pid: number,
  { secrets, signal }: Pick<SyncContext, 'secrets' | 'signal'>,
): void {
  const give = () => {
    connection.destroy();
    // The server would notice only when it next writes to us; until then it would keep the lock.
    withConnection(secrets.DATABASE_URL, 3_000, (other) =>
      queryOnce(other, endSession, [pid]),
    ).catch(() => undefined);
  };
  signal.addEventListener('abort', give, { once: true });
  connection.once('end', () => signal.removeEventListener('abort', give));
  if (signal.aborted) give();
}

function showSignsOfLife(connection: Connection): void {
  let isWaiting = false;
  const timer = setInterval(async () => {
    // Behind a statement that takes long one waits already.
    if (isWaiting) return;
    isWaiting = true;
    await connection.query('select 1').catch(() => undefined);
    isWaiting = false;
  }, SIGN_OF_LIFE_MS).unref();
  connection.once('end', () => clearInterval(timer));
}

/** Chooses how the run reads the register, and makes its temporary tables. Throws what pg throws. */
export async function begin(started: StartedRun): Promise<Run> {
  const { client, id, request, context } = started;
  const chosen = await chooseMode(client, request, context.config);
  await createStaging(client, chosen.mode);
  return { ...started, ...chosen, progress: trackProgress(client, id) };
}

/** The time by the database's clock, to the millisecond, which is what our columns are written with. */
export async function databaseTime(client: pg.Client): Promise<Date> {
  const statement = `select date_trunc('milliseconds', now()) as now`;
  const { rows } = await client.query<{ now: Date }>(statement);
  return (rows[0] as { now: Date }).now;
}

/** From here on the session can write nothing but its own temporary tables: a dry run persists nothing. */
export async function makeReadOnly(client: pg.Client): Promise<void> {
  await client.query('set default_transaction_read_only = on');
}

/** Ends a session and leaves nothing behind in it, in case a pooler gives it to the next. Never throws. */
export async function closeSession(connection: pg.Client): Promise<void> {
  const emptied = connection.query('discard all').catch(() => undefined);
  await Promise.race([emptied, sleep(1_000, undefined, { ref: false })]);
  await connection.end().catch(() => undefined);
}
