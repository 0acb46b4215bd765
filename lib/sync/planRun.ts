import { DjangoClient } from '../django/client.ts';
import { SyncError } from '../errors.ts';
import { type Confirmation, confirmRemovals, tellRenumberedLeavers } from './confirm.ts';
import { calculateDelta, type Delta, summarise } from './delta.ts';
import { createErrorList } from './errorList.ts';
import type { ChosenMode } from './mode.ts';
import { conclude, type Outlook } from './outlook.ts';
import type { Progress } from './progress.ts';
import { takeSelection } from './selected.ts';
import type { Run } from './session.ts';
import { MAX_WALKS, type Snapshot, takeSnapshot } from './snapshot.ts';
import releasePlan from './sql/guard/release_plan.sql';
import type { SyncContext } from './types.ts';
import { planTheUndo } from './undo.ts';
import { weigh } from './weigh.ts';

interface Planning {
  run: Run;
  chosen: ChosenMode;
  django: DjangoClient;
  progress: Progress;
}

/**
 * From the register (or, for an undo, from the audit trail) to a judged plan. Nothing outside the
 * session's temporary tables is written. Throws `plan_changed` when the plan that an admin approved is
 * no longer this one.
 */
export async function planRun(run: Run, chosen: ChosenMode, progress: Progress): Promise<Outlook> {
  const { request, context, client, startedAt } = run;
  if (request.undo !== undefined) {
    const errors = createErrorList();
    const delta = await planTheUndo(client, request.undo, startedAt, errors);
    return conclude(run, { chosen, delta, errors });
  }
  const { log, signal, secrets } = context;
  const django = new DjangoClient(context.config.django, {
    key: secrets.DJANGO_API_KEY,
    log,
    signal,
  });
  try {
    const planning = { run, chosen, django, progress };
    for (let walks = 1; ; walks++) {
      const snapshot = await look(planning, walks);
      const lastWalk = walks >= MAX_WALKS;
      if (snapshot.proof.complete || lastWalk) {
        const outlook = await planFrom(planning, snapshot, lastWalk);
        if (outlook && request.dryRun) await warnWhenOpen(django, context);
        if (outlook) return outlook;
      }
      const { mismatches } = snapshot.proof;
      log(
        'WARNING',
        'walk_repeated',
        `walk ${walks} did not see the whole register: ${mismatches.join('; ')}`,
      );
    }
  } finally {
    django.close();
  }
}

// Where strangers may read the list, a key that is not understood goes unnoticed: Django REST framework
// answers 200 with what strangers may see, and whoever is not among it looks like someone who left.
async function warnWhenOpen(django: DjangoClient, { log, signal }: SyncContext): Promise<void> {
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

function look({ run, chosen, django, progress }: Planning, walks: number): Promise<Snapshot> {
  const { request, context, client } = run;
  const { log, signal } = context;
  if (request.externalIds === undefined) {
    return takeSnapshot({ client, django, since: chosen.since, log, progress }, walks);
  }
  const concurrency = context.config.django.DJANGO_CONCURRENCY;
  return takeSelection({ client, django, concurrency, signal }, request.externalIds);
}

// undefined: a removal turned out to be no removal, so the register has to be walked again.
async function planFrom(
  planning: Planning,
  snapshot: Snapshot,
  lastWalk: boolean,
): Promise<Outlook | undefined> {
  const { run, chosen, progress } = planning;
  await progress.report('plan');
  const { errors } = snapshot;
  let delta = await calculateDelta(run.client, chosen.mode === 'full', run.startedAt, errors);
  let verdict = await weigh(run, chosen, delta, snapshot);
  // A whole register shows such a member as absent, and then asks; a part of it would pass it over.
  let unconfirmed = chosen.mode === 'full' ? 0 : await tellRenumberedLeavers(run.client, errors);

  // What is held anyway is not asked about before an admin wants it.
  const held = verdict.holds.removals !== undefined;
  if (!held && delta.counts.remove > delta.undone.removals && mustConfirm(run, snapshot)) {
    const confirmation = await confirm(planning, snapshot);
    unconfirmed += confirmation.unconfirmed;
    if (confirmation.stillMembers > 0 && chosen.mode === 'full') {
      snapshot.proof.complete = false;
      snapshot.proof.mismatches.push(`${confirmation.stillMembers} members were not in the list`);
      if (!lastWalk) return undefined;
    }
    delta = { ...(await summarise(run.client)), nameless: delta.nameless };
    verdict = await weigh(run, chosen, delta, snapshot);
  }

  const approved = isApproved(run, delta);
  if (approved) {
    await run.client.query(releasePlan);
    // Approved or not, nobody is removed whom the register still has.
    if ((held || delta.undone.removals > 0) && mustConfirm(run, snapshot)) {
      unconfirmed += (await confirm(planning, snapshot)).unconfirmed;
    }
  }
  return conclude(run, { chosen, delta, verdict, snapshot, errors, approved, unconfirmed });
}

// A complete walk of a cursor list in the order of its ids cannot have missed a row; any other can.
function mustConfirm({ context }: Run, { proof }: Snapshot): boolean {
  const { SYNC_CONFIRM_REMOVALS: when } = context.config.sync;
  if (when === 'auto') return !(proof.ordered_by_id && proof.complete);
  return when === 'always';
}

async function confirm(
  { run, chosen, django, progress }: Planning,
  { errors }: Snapshot,
): Promise<Confirmation> {
  await progress.report('confirm');
  const { client, context } = run;
  const concurrency = context.config.django.DJANGO_CONCURRENCY;
  const { signal } = context;
  const answered = chosen.mode === 'selected';
  return confirmRemovals({ client, django, answered, concurrency, errors, signal });
}

function isApproved({ request, context }: Run, { digest }: Delta): boolean {
  if (request.approvedPlan === undefined) return false;
  if (request.approvedPlan !== digest) {
    throw new SyncError(
      'plan_changed',
      'The plan is no longer the one that was approved. Look at it again with syncDryRun and approve the new one.',
      { extra: { plan: digest } },
    );
  }
  context.log('NOTICE', 'plan_approved', 'a plan was approved', {
    plan: digest,
    caller: request.caller,
  });
  return true;
}
