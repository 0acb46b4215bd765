import type pg from 'pg';
import type { Delta } from './delta.ts';
import { enoughMembers, type GuardInput, judge, type Verdict } from './guard.ts';
import type { ChosenMode } from './mode.ts';
import type { Run } from './session.ts';
import type { Snapshot } from './snapshot.ts';
import countActiveMembers from './sql/guard/count_active_members.sql';
import countRecentChanges from './sql/guard/count_recent_changes.sql';

/** Measures the plan against the members and the runs before it, and judges it. Throws what pg throws. */
export async function weigh(
  { client, context }: Run,
  { mode }: ChosenMode,
  delta: Delta,
  { proof, members, unidentified }: Snapshot,
): Promise<Verdict> {
  const { sync } = context.config;
  const changes = await countChanges(client, delta, sync.SYNC_LIMIT_WINDOW_HOURS);
  const seen = { complete: proof.complete, empty: mode === 'full' && members === 0, unidentified };
  const judgeWith = (active: number) => judge({ ...changes, active, snapshot: seen }, sync);
  const enough = enoughMembers(changes, sync);
  const active = await countActive(client, enough);
  const verdict = judgeWith(active);
  // What is held is told with its limit, and that is a share of all of them.
  const isHeld =
    Object.keys(verdict.holds).length > 0 || Object.values(delta.undone).some((count) => count > 0);
  if (active < enough || !isHeld) return verdict;
  return judgeWith(await countActive(client, Number.POSITIVE_INFINITY));
}

async function countChanges(
  client: pg.Client,
  { counts, undone }: Delta,
  windowHours: number,
): Promise<Pick<GuardInput, 'planned' | 'recent'>> {
  const { rows } = await client.query(countRecentChanges, [windowHours]);
  const { removals, additions, updates } = rows[0];
  return {
    planned: {
      removals: counts.remove - undone.removals,
      additions: counts.add + counts.reactivate - undone.additions,
      updates: counts.update - undone.updates,
    },
    recent: { removals, additions, updates },
  };
}

// Counting all of them takes a fifth of an incremental run at a million members.
async function countActive(client: pg.Client, enough: number): Promise<number> {
  const most = Number.isFinite(enough) ? enough : null;
  const { rows } = await client.query<{ active: number }>(countActiveMembers, [most]);
  return rows[0]?.active ?? 0;
}
