import { queryPooled } from '../database.ts';
import type { Credential } from '../secrets.ts';
import type { Phase } from './progress.ts';
import { readableRun } from './runLog.ts';
import { SYNC_LOCK } from './session.ts';
import syncStatus from './sql/log/sync_status.sql';

type Row = Record<string, unknown>;

interface Facts {
  lock_held: boolean;
  pending: { id: number; started_at: string; progress: (Row & { phase: Phase }) | null } | null;
  last_run: (Row & { status: string }) | null;
  last_success: Row | null;
  consecutive_failures: number;
  last_started_at: Date | null;
  active: number;
  inactive: number;
  notifications_pending: number;
  notifications_dead: number;
}

export interface SyncStatus {
  status: 'ok' | 'running' | 'failing' | 'stale' | 'never_synced';
  running: Row | null;
  last_run: Row | null;
  last_success: Row | null;
  next_due_at: string | null;
  consecutive_failures: number;
  members: { active: number; inactive: number };
  notifications: { pending: number; dead: number };
  /** What the last run held back, and the way on; null when it held nothing. */
  held: Row | null;
}

const WAY_ON =
  'Call syncDryRun to see what is held; if it is right, call syncScheduled with the plan that it answered.';

/** Runs missed before a register counts as stale: one may fail, the second should have made up for it. */
const STALE_INTERVALS = 2;
/** What a run may take on top, in minutes. */
const STALE_GRACE_MINUTES = 10;

/** How the sync is doing, in one round trip. Throws what pg throws. */
export async function readStatus(
  database: Credential,
  intervalMinutes: number,
  now: Date,
): Promise<SyncStatus> {
  const [facts] = await queryPooled<Facts>(database, syncStatus, [SYNC_LOCK]);
  return judgeStatus(facts as Facts, intervalMinutes, now);
}

/**
 * What the facts mean; pure. A pending run without the lock is one that was killed: a failure, not a run
 * in progress. Staleness counts from the start of the last complete run, whatever was tried since.
 */
export function judgeStatus(facts: Facts, intervalMinutes: number, now: Date): SyncStatus {
  const { pending, last_started_at: lastStarted } = facts;
  const running = facts.lock_held && pending !== null;
  const failures = facts.consecutive_failures + (pending !== null && !running ? 1 : 0);
  const lastSuccess = facts.last_success ? readableRun(facts.last_success) : null;
  const due = lastStarted && new Date(lastStarted.getTime() + intervalMinutes * 60_000);
  return {
    status: running ? 'running' : idleStatus(lastSuccess, failures, intervalMinutes, now),
    running: running ? runningRun(pending) : null,
    last_run: facts.last_run ? readableRun(facts.last_run) : null,
    last_success: lastSuccess,
    next_due_at: due?.toISOString() ?? null,
    consecutive_failures: failures,
    members: { active: facts.active, inactive: facts.inactive },
    notifications: { pending: facts.notifications_pending, dead: facts.notifications_dead },
    held: heldBack(facts.last_run),
  };
}

function heldBack(lastRun: Facts['last_run']): Row | null {
  if (lastRun?.status !== 'held') return null;
  const { held } = (lastRun['details'] ?? {}) as { held?: unknown };
  return { run_id: lastRun['id'], classes: held ?? {}, next_step: WAY_ON };
}

function idleStatus(
  lastSuccess: Row | null,
  failures: number,
  intervalMinutes: number,
  now: Date,
): SyncStatus['status'] {
  if (failures > 0) return 'failing';
  if (lastSuccess === null) return 'never_synced';
  const age = now.getTime() - Date.parse(String(lastSuccess['sync_timestamp']));
  const allowed = (intervalMinutes * STALE_INTERVALS + STALE_GRACE_MINUTES) * 60_000;
  return age > allowed ? 'stale' : 'ok';
}

function runningRun({ id, started_at, progress }: NonNullable<Facts['pending']>): Row {
  const {
    phase = 'starting',
    pages_done = 0,
    pages_total = null,
    members_fetched = 0,
  } = progress ?? ({} as Row);
  return {
    run_id: id,
    started_at: new Date(started_at).toISOString(),
    phase,
    pages_done,
    pages_total,
    members_fetched,
  };
}
