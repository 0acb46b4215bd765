import { setTimeout as sleep } from 'node:timers/promises';
import { inTransaction } from '../database.ts';
import { ContentionError, changeMembers, type Manner, orderTurns } from './changes.ts';
import { settleFindings } from './findings.ts';
import { writeOutbox } from './notify.ts';
import type { Planned } from './planRun.ts';
import { describe, summarise } from './result.ts';
import { finishRun } from './runLog.ts';
import { noteSightings } from './sightings.ts';
import followUndone from './sql/apply/follow_undone.sql';
import forgetUndone from './sql/apply/forget_undone.sql';
import pruneChanges from './sql/apply/prune_changes.sql';
import pruneHeld from './sql/apply/prune_held.sql';
import rememberHeld from './sql/apply/remember_held.sql';
import rememberUndone from './sql/apply/remember_undone.sql';
import { openly, openPath } from './staging.ts';
import type { Run, RunDetails, RunError, SyncResult } from './types.ts';

/** How long a run tries again, in ms, before a change that somebody else stands in the way of waits for the next. */
const PATIENCE_MS = 4_000;
const PAUSE_MS = 200;

/**
 * Applies what the plan does not hold, in one short transaction: changes, additions, their audit rows, the
 * verification stamp, notifications and the run's own log row; all of it or none. Readers are never blocked.
 * A change that the database refuses, or that somebody else stands in the way of, is set aside with its reason.
 * Throws PlanOutdatedError when a row is no longer as the plan saw it and the plan can be made again, and what
 * pg throws.
 */
export async function applyPlan(
  run: Run,
  runId: number,
  planned: Planned,
  isLast: boolean,
): Promise<SyncResult> {
  const { client, context } = run;
  await run.progress.report('apply');
  const refusedBefore = await orderTurns(client);
  const impatientAt = performance.now() + PATIENCE_MS;
  for (;;) {
    const manner = { patient: performance.now() < impatientAt, isLast, refusedBefore };
    try {
      const result = await inTransaction(client, () => applyAll(run, runId, planned, manner));
      if (planned.verdict.firstLoad) await analyse(run);
      await prune(run);
      return result;
    } catch (error) {
      if (!(error instanceof ContentionError)) throw error;
      await sleep(PAUSE_MS, undefined, { signal: context.signal });
    }
  }
}

async function applyAll(
  run: Run,
  runId: number,
  planned: Planned,
  manner: Manner,
): Promise<SyncResult> {
  const { client, context, request, startedAt } = run;
  // Shorter than PostgreSQL waits before it looks for a deadlock, so ours gives up first. And where each change meets
  // what somebody holds elsewhere, others wait for the rows that are ours meanwhile; as they do when we fall silent.
  const wait = Math.min(manner.patient ? 900 : 100, Math.ceil(client.deadlockTimeoutMs / 2));
  await client.query(`set local synchronous_commit = on; set local lock_timeout = ${wait};
    set local idle_in_transaction_session_timeout = '20s'`);
  const errors = await changeMembers(run, runId, manner);
  const summary = await summarise(client);
  const sightings = await noteSightings(run, planned, summary);
  for (const { code, external_id, message } of errors) {
    planned.snapshot.errors.add(code, external_id, message);
  }
  await openly(client, async () => {
    await forget(run, planned);
    if (request.undo !== undefined) await client.query(rememberUndone, [request.undo, runId]);
    await settleFindings(run, runId, planned.snapshot);
  });
  const result = await describe(run, planned, summary);
  await client.query(openPath);
  if (result.held && result.plan) await client.query(rememberHeld, [result.plan]);
  await writeOutbox(client, context.config.notify.NOTIFY_URLS, result, startedAt);
  await finishRun(client, runId, {
    result,
    mark: markOf(planned, result, errors),
    countsTowardsLimits: summary.counted > 0,
    approvedChanges: planned.approved,
    ...sightings,
    details: detailsOf(run, planned, result),
  });
  return result;
}

async function forget({ client, mode }: Run, { snapshot }: Planned): Promise<void> {
  const { proof, unidentified } = snapshot;
  await client.query(forgetUndone, [mode === 'full' && proof.complete && unidentified === 0]);
  if (mode !== 'undo') await client.query(followUndone);
}

// The next incremental run may start from here only if nothing that this run heard of is still undone.
function markOf(
  { snapshot }: Planned,
  { mode, status, removals_unconfirmed, set_aside }: SyncResult,
  refused: RunError[],
) {
  const walked = mode === 'full' || mode === 'incremental';
  const undone = refused.some(({ code }) => code !== 'value_rewritten');
  const settled = status !== 'held' && removals_unconfirmed === 0 && !set_aside && !undone;
  return (walked && settled && snapshot.mark) || null;
}

function detailsOf(
  { request, progress }: Run,
  { snapshot }: Planned,
  { mode, held, set_aside, removals_unconfirmed, errors }: SyncResult,
): RunDetails & Record<string, unknown> {
  const walked = mode === 'full' || mode === 'incremental';
  return {
    ...(walked ? { snapshot: snapshot.proof } : {}),
    ...(held ? { held } : {}),
    ...(set_aside ? { set_aside } : {}),
    ...(request.approvedPlan === undefined
      ? {}
      : { approved_by: request.caller, approves: request.approvedPlan }),
    ...(removals_unconfirmed > 0 ? { removals_unconfirmed } : {}),
    errors,
    phases_ms: progress.durations(),
  };
}

// Until autovacuum comes by, a table that was just filled has no statistics, and the next run takes twice as long
// to read it. A role that does not own the table is told so by a warning, which nobody needs to see.
async function analyse({ client }: Run): Promise<void> {
  await client.query('analyze public.members').catch(() => undefined);
}

// Old audit rows go after the run is safe; failing to do so is no reason to fail it.
async function prune({ client, context }: Run): Promise<void> {
  const days = context.config.sync.AUDIT_RETENTION_DAYS;
  const pruned = async () => {
    await client.query(pruneHeld);
    if (days > 0) await client.query(pruneChanges, [days]);
  };
  await pruned().catch(() => {
    const message = 'old audit rows could not be removed; a later run tries again';
    context.log('WARNING', 'prune_failed', message);
  });
}
