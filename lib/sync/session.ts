import type pg from 'pg';
import { connect, withConnection } from '../database.ts';
import type { ChosenMode } from './mode.ts';
import type { Progress } from './progress.ts';
import createApplicable from './sql/plan/create_applicable.sql';
import knownMembersFull from './sql/plan/create_known_members_full.sql';
import knownMembersPartial from './sql/plan/create_known_members_partial.sql';
import createMove from './sql/plan/create_move.sql';
import createOccupied from './sql/plan/create_occupied.sql';
import createPair from './sql/plan/create_pair.sql';
import createPlan from './sql/plan/create_plan.sql';
import createIncoming from './sql/snapshot/create_incoming.sql';
import createRepeated from './sql/snapshot/create_repeated.sql';
import createShield from './sql/snapshot/create_shield.sql';
import type { SyncContext, SyncRequest } from './types.ts';

/** The advisory lock that one run at a time holds in a database; the number is arbitrary but fixed. */
export const SYNC_LOCK = 7_236_150_924_081;

/** A run that has begun, before it knows how it reads the register. */
export interface StartedRun {
  request: SyncRequest;
  context: SyncContext;
  /** The run's only connection: lock, temporary tables and transaction live and die with it. */
  client: pg.Client;
  /** null for a dry run, which is not logged. */
  id: number | null;
  startedAt: Date;
}

/** One run while it goes on. */
export interface Run extends StartedRun, ChosenMode {
  progress: Progress;
}

// Times are written in UTC whatever the server's zone is. A statement that waits for another service's
// lock gives up instead of queueing readers behind it. Keepalives let the server notice within a minute
// that our instance is gone, and with it the lock. Temporary tables have no statistics: hashing is right
// at every size, a merge join would sort both sides first. And disks have no arms any more: a few members
// are found through an index, not by reading all of them.
const settings = `
  set timezone = 'UTC';
  set lock_timeout = '10s';
  set statement_timeout = '10min';
  set idle_in_transaction_session_timeout = '60s';
  set tcp_keepalives_idle = 20;
  set tcp_keepalives_interval = 10;
  set tcp_keepalives_count = 3;
  set work_mem = '64MB';
  set temp_buffers = '64MB';
  set jit = off;
  set enable_mergejoin = off;
  set random_page_cost = 1.1;
`;

/**
 * Opens the one connection that a run lives on. The lock, the temporary tables and the transaction all
 * belong to it: when it dies, all of them are gone together, and the run cannot go on without the lock.
 * When the context's signal aborts, the server is asked to end the session at once.
 */
export async function openSession(context: SyncContext): Promise<pg.Client> {
  const client = await connect(context.secrets.DATABASE_URL);
  try {
    await client.query(settings);
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    const pid = rows[0]?.pid;
    const terminate = () => {
      withConnection(context.secrets.DATABASE_URL, (other) =>
        other.query('select pg_terminate_backend($1::int)', [pid]),
      ).catch(() => undefined);
    };
    context.signal.addEventListener('abort', terminate, { once: true });
    client.once('end', () => context.signal.removeEventListener('abort', terminate));
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
  return client;
}

/** Takes the sync lock for the life of the session; false when another run holds it. */
export async function takeLock(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ taken: boolean }>(
    'select pg_try_advisory_lock($1::bigint) as taken',
    [SYNC_LOCK],
  );
  return rows[0]?.taken === true;
}

/**
 * Makes the session's temporary tables. `wholeRegister` says what the plan is compared with: every
 * member, or only those that the records name.
 */
export async function createStaging(client: pg.Client, wholeRegister: boolean): Promise<void> {
  const statements = [
    createIncoming,
    createRepeated,
    createShield,
    wholeRegister ? knownMembersFull : knownMembersPartial,
    createPair,
    createMove,
    createPlan,
    createApplicable,
    createOccupied,
    // Until the plan is applied, which waits for the disk again, only progress is written.
    'set synchronous_commit = off',
  ];
  await client.query(statements.join(';\n'));
}

/** From here on the session can write nothing but its own temporary tables: a dry run persists nothing. */
export async function makeReadOnly(client: pg.Client): Promise<void> {
  await client.query('set default_transaction_read_only = on');
}
