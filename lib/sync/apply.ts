import type pg from 'pg';
import { inTransaction } from '../database.ts';
import { settleFindings } from './findings.ts';
import { writeOutbox } from './notify.ts';
import type { Planned } from './planRun.ts';
import { describe, type Summary, summarise } from './result.ts';
import { finishRun } from './runLog.ts';
import type { Run } from './session.ts';
import { noteSightings } from './sightings.ts';
import forgetUndone from './sql/apply/forget_undone.sql';
import insertMembers from './sql/apply/insert_members.sql';
import pruneChanges from './sql/apply/prune_changes.sql';
import pruneHeld from './sql/apply/prune_held.sql';
import rememberHeld from './sql/apply/remember_held.sql';
import rememberUndone from './sql/apply/remember_undone.sql';
import updateMembers from './sql/apply/update_members.sql';
import vacateKennitalas from './sql/apply/vacate_kennitalas.sql';
import type { RunDetails, SyncResult } from './types.ts';

/** Someone else wrote a planned row between plan and apply; the plan has to be made again. */
export class PlanOutdatedError extends Error {
  override readonly name = 'PlanOutdatedError';
}

// SQLSTATE: another service inserted a member that the plan adds.
const UNIQUE_VIOLATION = '23505';
const KENNITALA_IS_UNIQUE = 'members_kennitala_key';

/**
 * Applies what the plan does not hold, in one short transaction: changes, additions, their audit rows, the
 * verification stamp, notifications and the run's own log row; all of it or none. Readers are never blocked.
 * Throws PlanOutdatedError when a row is no longer as the plan saw it, and what pg throws.
 */
export async function applyPlan(run: Run, runId: number, planned: Planned): Promise<SyncResult> {
  await run.progress.report('apply');
  const result = await inTransaction(run.client, () => applyAll(run, runId, planned)).catch(
    (error: unknown) => {
      const { code, constraint } = error as { code?: string; constraint?: string };
      if (code !== UNIQUE_VIOLATION || constraint !== KENNITALA_IS_UNIQUE) throw error;
      const message = 'another service wrote a kennitala that the plan adds';
      throw new PlanOutdatedError(message, { cause: error });
    },
  );
  if (planned.verdict.firstLoad) await analyse(run);
  await prune(run);
  return result;
}

async function applyAll(run: Run, runId: number, planned: Planned): Promise<SyncResult> {
  const { client, context, request, startedAt } = run;
  await client.query('set local synchronous_commit = on');
  const summary = await summarise(client);
  await changeMembers(run, runId, summary);
  const sightings = await noteSightings(run, planned, summary);
  await forget(run, planned);
  if (request.undo !== undefined) await client.query(rememberUndone, [request.undo, runId]);
  const setAside = await settleFindings(run, runId, planned.snapshot);
  const result = {
    ...(await describe(run, planned)),
    ...(setAside ? { set_aside: setAside } : {}),
  };
  if (result.held) await client.query(rememberHeld, [result.plan]);
  await writeOutbox(client, context.config.notify.NOTIFY_URLS, result, startedAt);
  await finishRun(client, runId, {
    result,
    mark: markOf(planned, result),
    countsTowardsLimits: summary.counted > 0,
    approvedChanges: planned.approved,
    ...sightings,
    details: detailsOf(run, planned, result),
  });
  return result;
}

async function changeMembers(
  { client, mode, startedAt }: Run,
  runId: number,
  { added, updated, reactivated, removed }: Summary,
): Promise<void> {
  const changed = updated + reactivated + removed;
  if (changed > 0) {
    await client.query(vacateKennitalas);
    const seenAt = mode === 'undo' ? null : startedAt;
    expectRows(await client.query(updateMembers, [runId, seenAt]), changed);
  }
  if (added > 0) expectRows(await client.query(insertMembers, [runId, startedAt]), added);
}

// A row that was changed since the plan is missed by the statement, and missing from its count.
function expectRows({ rowCount }: pg.QueryResult, planned: number): void {
  if (rowCount !== planned) {
    throw new PlanOutdatedError(`${planned} rows planned, ${rowCount} still as the plan saw them`);
  }
}

async function forget({ client, mode }: Run, { snapshot }: Planned): Promise<void> {
  const { proof, unidentified } = snapshot;
  await client.query(forgetUndone, [mode === 'full' && proof.complete && unidentified === 0]);
}

// The next incremental run may start from here only if nothing that this run heard of is still undone.
function markOf(
  { snapshot }: Planned,
  { mode, status, removals_unconfirmed, set_aside }: SyncResult,
) {
  const walked = mode === 'full' || mode === 'incremental';
  const settled = status !== 'held' && removals_unconfirmed === 0 && !set_aside;
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
    ...(request.approvedPlan === undefined ? {} : { approved_by: request.caller }),
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
