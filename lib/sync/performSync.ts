import type { Connection } from '../database.ts';
import { toSyncError } from '../databaseErrors.ts';
import { isError, SyncError } from '../errors.ts';
import { applyPlan } from './apply.ts';
import { PlanOutdatedError } from './changes.ts';
import { takeLock } from './lock.ts';
import { deliverNotifications, outboxWaits } from './notify.ts';
import { type Planned, planRun } from './planRun.ts';
import { describe } from './result.ts';
import { closeFailedRun, startRun } from './runLog.ts';
import {
  begin,
  closeSession,
  databaseTime,
  makeReadOnly,
  openSession,
  stopwatch,
} from './session.ts';
import { emptyStaging } from './staging.ts';
import {
  changedIn,
  type Run,
  type StartedRun,
  type SyncContext,
  type SyncRequest,
  type SyncResult,
} from './types.ts';

/**
 * Makes the members say what the register says, or tells what that would change. One path for runs, dry
 * runs, approvals and undo: stage, plan, judge, and (no dry run) apply in one transaction. A run that
 * throws has changed nothing and is closed in the log. Throws SyncError; `sync_in_progress` when another
 * run holds the lock.
 */
export async function performSync(request: SyncRequest, context: SyncContext): Promise<SyncResult> {
  return request.dryRun ? rehearse(request, context) : runLocked(request, context);
}

// A dry run plans as a run does, without the lock and without a row in the log, in a session that can write nothing.
async function rehearse(request: SyncRequest, context: SyncContext): Promise<SyncResult> {
  const elapsed = stopwatch();
  const client = await openSession(context);
  try {
    const startedAt = await databaseTime(client);
    const run = await begin({ request, context, client, id: null, startedAt, elapsed });
    await makeReadOnly(client);
    return await describe(run, await planRun(run));
  } finally {
    await closeSession(client);
  }
}

async function runLocked(request: SyncRequest, context: SyncContext): Promise<SyncResult> {
  let client: Connection | undefined;
  try {
    client = await openSession(context);
    await takeLock(client, context);
    return await runLogged(request, context, client);
  } finally {
    const waits = !client || (await outboxWaits(client));
    if (client) await closeSession(client);
    // The lock is free by now: a slow receiver delays nobody's run.
    if (waits && !context.signal.aborted) await deliverNotifications(context);
  }
}

async function runLogged(
  request: SyncRequest,
  context: SyncContext,
  client: Connection,
): Promise<SyncResult> {
  const elapsed = stopwatch();
  const { id, startedAt } = await startRun(client, request, context.log);
  const log = context.log.with({ run_id: id });
  const run = { request, context: { ...context, log }, client, id, startedAt, elapsed };
  try {
    log('INFO', 'sync_started', `run ${id} started`, {
      sync_type: request.syncType,
      caller: request.caller,
    });
    return await planAndApply(run, id);
  } catch (thrown) {
    const { code, message, cause, extra } = toSyncError(thrown, context.signal);
    const error = new SyncError(code, message, { cause, extra, runId: id });
    await closeSession(client);
    const applied = await closeFailedRun(run, id, error, isError(thrown) && 'atCommit' in thrown);
    if (applied === false) throw error;
    const words = applied
      ? `Run ${id} was applied, and then its connection was lost; syncLogs has its result.`
      : `${message} Whether run ${id} was applied is not known; syncLogs says it when the database answers.`;
    throw new SyncError(code, words, { cause, runId: id, extra: { applied } });
  }
}

/** How often a run plans because another service wrote the members it was about to change; then they wait. */
const MAX_PLANS = 3;

async function planAndApply(started: StartedRun, id: number): Promise<SyncResult> {
  const run = await begin(started);
  for (let plans = 1; ; plans++) {
    const planned = await planRun(run);
    try {
      const result = await applyPlan(run, id, planned, plans >= MAX_PLANS);
      logOutcome(run, planned, result);
      return result;
    } catch (error) {
      if (!(error instanceof PlanOutdatedError)) throw error;
      run.context.log('WARNING', 'plan_outdated', `planning again: ${error.message}`);
      await emptyStaging(run.client);
    }
  }
}

function logOutcome({ request, context }: Run, planned: Planned, result: SyncResult): void {
  const { errors: _shown, run_id, status, ...figures } = result;
  const { undo } = request;
  const fields = { status, ...figures, ...(undo === undefined ? {} : { undo }) };
  if (status === 'held') {
    const wayOn =
      result.plan === undefined
        ? `it did not see the whole register (${result.mismatches?.[0]}), and there is nothing to approve`
        : 'look at them with syncDryRun, and if they are right call syncScheduled with the plan that it answers';
    const message = `run ${run_id} holds changes back: ${wayOn}`;
    context.log('CRITICAL', 'sync_held', message, fields);
  } else if (result.set_aside) {
    const { count, limit } = result.set_aside;
    const message = `run ${run_id} could not use ${count} records of the register, and ${limit} is the most: what is safe was applied, but this is no complete run`;
    context.log('CRITICAL', 'sync_set_aside', message, fields);
  } else {
    const severity = status === 'partial' ? 'WARNING' : 'INFO';
    context.log(severity, 'sync_completed', `run ${run_id} completed`, fields);
  }
  if (undo !== undefined && changedIn(result) > 0) {
    const aboveLimits = Object.keys(planned.verdict.holds).length > 0;
    const message = `run ${run_id} took back changes of run ${undo}`;
    context.log(aboveLimits ? 'CRITICAL' : 'NOTICE', 'undo_applied', message, fields);
  }
}
