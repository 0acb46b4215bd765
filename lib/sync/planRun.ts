import type pg from 'pg';
import { createDjangoClient, type DjangoClient } from '../django/client.ts';
import { type MembershipKeys, noKeys } from '../django/membershipKeys.ts';
import { SyncError } from '../errors.ts';
import { confirmPlan } from './confirm.ts';
import { guardPlan, hold, holdBlockedChanges, type Verdict } from './guard.ts';
import { digestOf, planChanges, planInverse } from './plan.ts';
import { protectSelected, takeSelection } from './selection.ts';
import { MAX_WALKS, nothingSeen, type Snapshot, takeSnapshot } from './snapshot.ts';
import compareHeld from './sql/guard/compare_held.sql';
import isHeldPlan from './sql/guard/is_held_plan.sql';
import releasePlan from './sql/guard/release_plan.sql';
import selectRequiredKeys from './sql/snapshot/select_required_keys.sql';
import { emptyStaging } from './staging.ts';
import { isApproved, type Run } from './types.ts';

/** What planning saw and decided; the changes themselves, and why each one waits, are the rows of `plan`. */
export interface Planned {
  snapshot: Snapshot;
  verdict: Verdict;
  /** Names the changes that an admin approved; applying them spends it. null: nothing was approved. */
  approved: string | null;
}

/**
 * From the register (or, for an undo, from the audit trail) to a judged plan: stage, plan, guard, approve,
 * confirm. Nothing outside the session's temporary tables is written. Throws `plan_changed` when the plan
 * that an admin approved is no longer this one.
 */
export async function planRun(run: Run): Promise<Planned> {
  if (run.request.undo !== undefined) return planTheUndo(run, run.request.undo);
  const { context } = run;
  const { log, signal, secrets } = context;
  const key = secrets.DJANGO_API_KEY;
  // By the database's clock: that of an instance may be wrong by days.
  const now = () => run.startedAt.getTime() + run.elapsed();
  const required = await keysOfLastWalk(run.client);
  const django = createDjangoClient(context.config.django, { key, log, signal, now, required });
  try {
    for (let walks = 1; ; walks++) {
      const isLast = walks === MAX_WALKS;
      const snapshot = await stage(run, django, walks);
      if (snapshot.proof.complete || isLast) {
        await run.progress.report('plan');
        const differs = await planChanges(run, snapshot);
        if (differs) await protectSelected(run, snapshot);
        const verdict = await guardPlan(run, snapshot, differs);
        const approved = await releaseApproved(run, snapshot, verdict);
        const missed = differs ? await confirmPlan(run, django, snapshot) : 0;
        if (missed > 0) await distrust(run, snapshot, missed);
        if (missed === 0 || isLast) {
          if (run.request.dryRun) await warnWhenOpen(run, django);
          return { snapshot, verdict, approved };
        }
      }
      const { mismatches } = snapshot.proof;
      const message = `walk ${walks} did not see the whole register: ${mismatches.join('; ')}`;
      log('WARNING', 'walk_repeated', message);
      await emptyStaging(run.client);
    }
  } finally {
    django.close();
  }
}

// What every record had the last time must not get lost: without it a record is one of a member.
async function keysOfLastWalk(client: pg.Client): Promise<MembershipKeys> {
  const { rows } = await client.query<MembershipKeys>(selectRequiredKeys);
  return rows[0] ?? noKeys;
}

async function planTheUndo(run: Run, runId: number): Promise<Planned> {
  const snapshot = nothingSeen();
  await planInverse(run, runId, snapshot.errors);
  const verdict = await guardPlan(run, snapshot, true);
  return { snapshot, verdict, approved: await releaseApproved(run, snapshot, verdict) };
}

function stage(run: Run, django: DjangoClient, walks: number): Promise<Snapshot> {
  const { externalIds } = run.request;
  return externalIds ? takeSelection(run, django, externalIds) : takeSnapshot(run, django, walks);
}

// An approval is of one very plan; what waits in it is released, and nothing of another. Returns what is spent by it.
async function releaseApproved(
  run: Run,
  { proof }: Snapshot,
  { holds }: Verdict,
): Promise<string | null> {
  const { request, context, client } = run;
  const { approvedPlan: approved, approvedClasses: classes, caller } = request;
  if (approved === undefined) return null;
  const { digest: plan, changes } = await digestOf(run);
  if (approved !== plan) {
    throw new SyncError(
      'plan_changed',
      'The plan is no longer the one that was approved. Look at it again with syncDryRun and approve the new one.',
      { extra: { plan, changed: await differences(client, approved) } },
    );
  }
  const { rowCount: anyChange } = await client.query(anyApprovable);
  if (!anyChange && !proof.complete) throw nothingToApprove(proof.mismatches);
  context.log('NOTICE', 'plan_approved', 'a plan was approved', { plan, caller, classes });
  await client.query(releasePlan, [classes ?? null]);
  // An undo has no part that happens by itself.
  if (request.undo !== undefined && classes) await client.query(dropUnnamed, [classes]);
  await holdBlockedChanges(run);
  // Where all that was approved hangs on what still waits, nothing is done, and the same plan goes on waiting.
  if ((await client.query(anyReleased)).rowCount) return changes;
  // That a register has no member, where none is here either, is approved without a change.
  const isEmpty = !anyChange && holds.removals === 'snapshot_empty';
  return isEmpty && isApproved(request, 'removals') ? changes : null;
}

const anyApprovable = `select from pg_temp.plan where set_aside is null and action <> 'suspended' limit 1`;
const dropUnnamed = `delete from pg_temp.plan where held is null and class <> all($1::text[])`;
const anyReleased = `select from pg_temp.plan where released = 'approval' and held is null limit 1`;

// An approval is of changes: that a part of the register was not seen is nothing that somebody could decide.
const nothingToApprove = (mismatches: string[]) =>
  new SyncError(
    'invalid_request',
    `There is nothing to approve: this plan has no change, and the register was not seen whole (${mismatches.join('; ')}). No approval makes an incomplete reading complete; look at the register, and the next run reads it again.`,
  );

// null where no run held the plan that was approved, so that there is nothing to compare with.
async function differences(client: pg.Client, approved: string) {
  const { rows } = await client.query<{ known: boolean }>(isHeldPlan, [approved]);
  if (!rows[0]?.known) return null;
  const changed = await client.query<{ class: string; new: number; gone: number }>(compareHeld, [
    approved,
  ]);
  return Object.fromEntries(
    changed.rows.map(({ class: name, new: added, gone }) => [name, { new: added, gone }]),
  );
}

// A walk that missed a member proves nothing about the others either, unless an admin has approved their removal.
async function distrust(run: Run, { proof }: Snapshot, missed: number): Promise<void> {
  if (run.mode !== 'full') return;
  proof.complete = false;
  proof.mismatches.push(`${missed} members were not in the list`);
  if (!isApproved(run.request, 'removals')) await hold(run, 'removals', 'snapshot_incomplete');
}

// Where strangers may read the list, a key that is not understood goes unnoticed: Django REST framework
// answers 200 with what strangers may see, and a member who is not among it looks like a leaver.
async function warnWhenOpen({ context }: Run, django: DjangoClient): Promise<void> {
  const { log, signal } = context;
  try {
    if ((await django.healthCheck()).refusesAnonymous) return;
  } catch {
    // The walk went well; a check that does not is no reason to fail the dry run.
    signal.throwIfAborted();
    return;
  }
  log(
    'WARNING',
    'register_open',
    'the register answers without a key: make sure that DJANGO_AUTH_SCHEME and DJANGO_API_KEY are right, and that strangers may not read the list',
  );
}
