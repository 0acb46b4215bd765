import { applyPlan } from './apply.ts';
import { writeOutbox } from './notify.ts';
import type { Outlook } from './outlook.ts';
import type { Progress } from './progress.ts';
import { finishRun } from './runLog.ts';
import type { Run } from './session.ts';
import pruneChanges from './sql/apply/prune_changes.sql';
import type { SyncResult } from './types.ts';

/** Applies what planning left of the plan, with its audit trail, its notifications and the run's own log row. */
export async function applyRun(
  run: Run,
  runId: number,
  outlook: Outlook,
  progress: Progress,
): Promise<SyncResult> {
  const { client, context, request, startedAt } = run;
  const { chosen, snapshot, verdict, approved = false, counts } = outlook;
  const result = { ...outlook.result };
  await applyPlan(client, {
    runId,
    now: startedAt,
    counts,
    members: snapshot?.members,
    wholeRegister: chosen.mode === 'full',
    undo: request.undo,
    conclude: async () => {
      result.duration_ms = context.now().getTime() - startedAt.getTime();
      await writeOutbox(client, context.config.notify.NOTIFY_URLS, result, startedAt);
      await finishRun(client, runId, {
        result,
        mark: markOf(outlook),
        countsTowardsLimits: !approved && verdict !== undefined && !verdict.firstLoad,
        details: {
          ...(snapshot && chosen.mode !== 'selected' ? { snapshot: snapshot.proof } : {}),
          ...(result.held ? { held: result.held } : {}),
          ...(approved ? { approved_by: request.caller } : {}),
          ...(result.removals_unconfirmed
            ? { removals_unconfirmed: result.removals_unconfirmed }
            : {}),
          errors: result.errors,
          phases_ms: progress.durations(),
        },
      });
    },
  });
  await prune(run);
  return result;
}

// The next incremental run may start from here only if nothing that this run was told is still undone.
function markOf({ chosen, snapshot, result }: Outlook): Date | null {
  const walked = chosen.mode === 'full' || chosen.mode === 'incremental';
  const settled = result.status !== 'held' && result.removals_unconfirmed === 0;
  return (walked && settled && snapshot?.mark) || null;
}

// Old audit rows go after the run is safe; failing to do so is no reason to fail it.
async function prune({ client, context }: Run): Promise<void> {
  const days = context.config.sync.AUDIT_RETENTION_DAYS;
  if (days === 0) return;
  await client.query(pruneChanges, [days]).catch(() => {
    context.log(
      'WARNING',
      'prune_failed',
      'old audit rows could not be removed; a later run tries again',
    );
  });
}
