import type pg from 'pg';
import { judgeSetAside } from './findings.ts';
import { digestOf } from './plan.ts';
import type { Planned } from './planRun.ts';
import { preview } from './preview.ts';
import type { Run } from './session.ts';
import countHeld from './sql/guard/count_held.sql';
import summarisePlan from './sql/plan/summarise_plan.sql';
import {
  type ChangeClass,
  type Held,
  type HeldClass,
  type HeldReason,
  isApproved,
  type SyncResult,
} from './types.ts';

/** What the plan says of itself, counted from its rows. */
export interface Summary {
  added: number;
  updated: number;
  /** Of the updated ones, those that get another kennitala. */
  kennitala_changed: number;
  reactivated: number;
  removed: number;
  /** Applied changes that count towards the limits of later runs. */
  counted: number;
  /** Members of the register without an active row here before this run. */
  not_here: number;
  /** Changes of the plan, whether they are held or not. */
  total: number;
  suspended: number;
  unconfirmed: number;
}

/** Reads what the plan applies. Throws what pg throws. */
export async function summarise(client: pg.Client): Promise<Summary> {
  const { rows } = await client.query<Summary>(summarisePlan);
  return rows[0] as Summary;
}

/** The result of a run or a dry run, read from the plan as it stands. Throws what pg throws. */
export async function describe(run: Run, planned: Planned, known?: Summary): Promise<SyncResult> {
  const { client, id, request, startedAt, elapsed, mode } = run;
  const { snapshot } = planned;
  const { errors } = snapshot;
  const summary = known ?? (await summarise(client));
  const held = await readHeld(run, planned);
  const anyHeld = Object.keys(held).length > 0;
  const setAside = await judgeSetAside(run, snapshot, request.dryRun ? gainOf(summary) : 0);
  const { digest } = await digestOf(run);
  const { mismatches } = snapshot.proof;
  return {
    run_id: id,
    sync_type: request.syncType,
    mode,
    status: anyHeld ? 'held' : errors.count() > 0 ? 'partial' : 'success',
    dry_run: request.dryRun,
    timestamp: startedAt.toISOString(),
    duration_ms: elapsed(),
    members_fetched: snapshot.fetched,
    members_added: summary.added,
    members_updated: summary.updated,
    members_kennitala_changed: summary.kennitala_changed,
    members_reactivated: summary.reactivated,
    members_removed: summary.removed,
    // Every member of the register is active here already, or suspended, or was not here.
    members_verified:
      mode === 'undo'
        ? 0
        : snapshot.members - snapshot.disputed - summary.not_here - summary.suspended,
    members_suspended: summary.suspended,
    removals_unconfirmed: summary.unconfirmed,
    error_count: errors.count(),
    errors: errors.shown(),
    ...(anyHeld && !canBeApproved(held) ? {} : { plan: digest }),
    ...(anyHeld ? { held } : {}),
    ...(mismatches.length > 0 ? { mismatches } : {}),
    ...(setAside ? { set_aside: setAside } : {}),
    ...(request.dryRun ? { ...(await preview(run, digest)), changes_total: summary.total } : {}),
  };
}

const gainOf = ({ added, reactivated, removed }: Summary) => added + reactivated - removed;

// Where a part of the register was not seen and no change waits for that, there is nothing to approve.
const canBeApproved = (held: Held) =>
  Object.values(held).some(({ count, reason }) => count > 0 || reason !== 'snapshot_incomplete');

// A class that the guard holds is named even without a change: the walk saw too little to know of any.
async function readHeld({ client, request }: Run, { verdict, snapshot }: Planned): Promise<Held> {
  const held: Held = {};
  const add = (name: ChangeClass, reason: HeldReason, count: number) => {
    const known: HeldClass = held[name] ?? { count: 0, limit: verdict.limits[name], reason };
    held[name] = { ...known, count: known.count + count };
  };
  for (const [name, reason] of Object.entries(verdict.holds) as [ChangeClass, HeldReason][]) {
    if (!isApproved(request, name)) add(name, reason, 0);
  }
  // An approval is of changes: it makes no incomplete reading complete.
  if (!snapshot.proof.complete) add('removals', 'snapshot_incomplete', 0);
  const { rows } = await client.query<{ class: ChangeClass; reason: HeldReason; count: number }>(
    countHeld,
  );
  for (const { class: name, reason, count } of rows) {
    add(name, reason, count);
    const known = held[name];
    if (reason === 'undone' && known && known.reason !== 'undone') known.undone = count;
  }
  return held;
}

/** How many members a run changed. */
export const changedIn = (result: SyncResult): number =>
  result.members_added +
  result.members_removed +
  result.members_updated +
  result.members_reactivated;
