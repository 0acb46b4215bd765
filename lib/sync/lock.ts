import type pg from 'pg';
import { SyncError } from '../errors.ts';
import checkSessionStatement from './sql/session/check_session.sql';
import endDeadHolder from './sql/session/end_dead_holder.sql';
import lockHolder from './sql/session/lock_holder.sql';
import type { SyncContext } from './types.ts';

/** The advisory lock that one run at a time holds in a database; the number is arbitrary but fixed. */
export const SYNC_LOCK = 7_236_150_924_081;

interface LockHolder {
  role: string | null;
  since: Date | null;
  is_run: boolean;
}

/**
 * Takes the sync lock for the life of the session. Throws `sync_in_progress`, with the role that holds it
 * and since when, when it is taken.
 */
export async function takeLock(client: pg.Client, { log }: SyncContext): Promise<void> {
  if (await tryLock(client)) return;
  if ((await client.query(endDeadHolder, [SYNC_LOCK])).rowCount) {
    log('WARNING', 'dead_session_ended', 'a session that held the lock with no process behind it');
    if (await tryLock(client)) return;
  }
  const { rows } = await client.query<LockHolder>(lockHolder, [SYNC_LOCK]);
  throw new SyncError('sync_in_progress', wordsFor(rows[0] ?? gone));
}

async function tryLock(client: pg.Client): Promise<boolean> {
  const statement = 'select pg_try_advisory_lock($1::bigint) as taken';
  const { rows } = await client.query<{ taken: boolean }>(statement, [SYNC_LOCK]);
  return rows[0]?.taken === true;
}

const gone = { role: null, since: null, is_run: true };

function wordsFor({ role, since, is_run }: LockHolder): string {
  const who = `${role ? ` as ${role}` : ''}${since ? ` since ${since.toISOString()}` : ''}`;
  return is_run
    ? `Another run is going on${who}. syncStatus shows how far it is.`
    : `Another service holds the lock of the sync${who}. pg_locks has its session; end it if it is not meant to.`;
}

/**
 * Makes sure that the run still has the session that it began with, and in it the lock: part of the
 * transaction that applies it. Throws `interrupted`.
 */
export async function checkSession(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ is_ours: boolean }>(checkSessionStatement, [SYNC_LOCK]);
  if (!rows[0]?.is_ours) {
    throw new SyncError(
      'interrupted',
      'The connection of the run was given another session of the server, without its lock. Is a pooler in transaction mode in between?',
    );
  }
}
