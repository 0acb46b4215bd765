import { queryPooled } from '../../lib/database.ts';
import type { Credential } from '../../lib/secrets.ts';
import { SYNC_LOCK } from '../../lib/sync/lock.ts';
import type { Held, Phase, RunDetails } from '../../lib/sync/types.ts';
import { readableRun } from '../logs/history.ts';
import {
  type Attention,
  type AttentionFacts,
  type ElectionReason,
  isRecent,
  type LockTaken,
  listAttention,
  reasonsNotToOpen,
  type Tally,
} from './attention.ts';
import { describeHeld, heldTogether, type StillWaiting, tallyOfHeld } from './holding.ts';
import syncStatus from './sql/sync_status.sql';

type Row = Record<string, unknown>;

interface LogRow extends Row {
  id: number;
  status: string;
  sync_timestamp: string;
  plan?: string | null;
  mode?: string | null;
  details?: RunDetails | null;
}

interface Facts {
  now: Date;
  /** By a run of ours. */
  lock_held: boolean;
  /** By somebody else. */
  lock_taken: LockTaken | null;
  pending: {
    id: number;
    started_at: string;
    progress: (Row & { phase: Phase }) | null;
    reads: boolean;
  } | null;
  last_run: LogRow | null;
  last_success: LogRow | null;
  last_full: LogRow | null;
  /** The runs whose holds still stand, newest first. */
  holding: LogRow[];
  held_since: Date | null;
  /** What of that still waits; null where that is not known. */
  waiting: StillWaiting | null;
  consecutive_failures: number;
  last_started_at: Date | null;
  active: number;
  suspended: number;
  left: number;
  other_sources: number;
  unseen: number;
  unseen_since: Date | null;
  undone: Tally;
  findings: AttentionFacts['findings'];
  undelivered: Tally;
  notifications_pending: number;
  notifications_dead: number;
}

export interface SyncStatus {
  status: 'ok' | 'running' | 'failing' | 'stale' | 'never_synced' | 'attention';
  running: Row | null;
  last_run: Row | null;
  last_success: Row | null;
  next_due_at: string | null;
  consecutive_failures: number;
  /** The register's own, and how many rows other services have. */
  members: { active: number; suspended: number; left: number; other_sources: number };
  notifications: { pending: number; dead: number };
  /** What the runs that read the register hold back, and the way on; null when they hold nothing. */
  held: { run_id: number; classes: Held; plan: string | null; next_step: string } | null;
  /** Everything that waits for a person. */
  attention: Attention[];
  /** Whether an election may open now. */
  election: { may_open: boolean; reasons: ElectionReason[] };
}

/** Runs missed before a register counts as stale: one may fail, the second should have made up for it. */
const STALE_INTERVALS = 2;
/** What a run may take on top, in minutes. */
const STALE_GRACE_MINUTES = 10;

export interface StatusRules {
  /** How often a run is due. */
  intervalMinutes: number;
  /** How old the last complete full run may be when an election opens. */
  withinMinutes: number;
}

/** How the sync is doing, in one round trip. Throws what pg throws. */
export async function readStatus(database: Credential, rules: StatusRules): Promise<SyncStatus> {
  const [facts] = await queryPooled<Facts>(database, syncStatus, [SYNC_LOCK]);
  return judgeStatus(facts as Facts, rules);
}

/**
 * What the facts mean; pure. A pending run without the lock is one that was killed: a failure, not a run
 * in progress. Staleness counts from the start of the last complete run by the database's clock, whatever
 * was tried since.
 */
export function judgeStatus(facts: Facts, rules: StatusRules): SyncStatus {
  const { now, pending, last_started_at: lastStarted, active, suspended, left } = facts;
  const running = facts.lock_held && pending !== null;
  const held = heldTogether(facts.holding, facts.waiting);
  const failures = facts.consecutive_failures + (pending?.reads && !running ? 1 : 0);
  const due = lastStarted && new Date(lastStarted.getTime() + rules.intervalMinutes * 60_000);
  const attention = listAttention({
    taken: facts.lock_taken,
    missingSince: running || !isOverdue(due, now) ? null : due,
    held: held ? tallyOfHeld(held, facts.held_since) : undefined,
    undone: facts.undone,
    findings: facts.findings,
    unseen: {
      count: facts.unseen,
      since: facts.unseen_since,
      run_id: facts.last_full?.id ?? null,
    },
    undelivered: facts.undelivered,
  });
  const readiness = {
    running,
    failures,
    fullRunAge: ageOf(facts.last_full, now),
    notificationsPending: facts.notifications_pending,
  };
  const reasons = reasonsNotToOpen(attention, readiness, rules.withinMinutes);
  const age = ageOf(facts.last_success, now);
  return {
    status: running ? 'running' : idleStatus(failures, age, attention, rules.intervalMinutes),
    running: running ? runningRun(pending) : null,
    last_run: facts.last_run && readableRun(facts.last_run),
    last_success: facts.last_success && readableRun(facts.last_success),
    next_due_at: due?.toISOString() ?? null,
    consecutive_failures: failures,
    members: { active, suspended, left, other_sources: facts.other_sources },
    notifications: { pending: facts.notifications_pending, dead: facts.notifications_dead },
    held: held && describeHeld(held),
    attention,
    election: { may_open: reasons.length === 0, reasons },
  };
}

const isOverdue = (due: Date | null, now: Date) =>
  due !== null && now.getTime() - due.getTime() > STALE_GRACE_MINUTES * 60_000;

function idleStatus(
  failures: number,
  age: number | null,
  attention: Attention[],
  intervalMinutes: number,
): SyncStatus['status'] {
  if (failures > 0) return 'failing';
  if (age === null) return 'never_synced';
  if (!isRecent(age, intervalMinutes * STALE_INTERVALS + STALE_GRACE_MINUTES)) return 'stale';
  return attention.length > 0 ? 'attention' : 'ok';
}

// Minutes since a run began. `sync_timestamp` is UTC without a zone.
function ageOf(run: LogRow | null, now: Date): number | null {
  return run && (now.getTime() - Date.parse(`${run.sync_timestamp}Z`)) / 60_000;
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
