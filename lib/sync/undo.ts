import type pg from 'pg';
import { SyncError } from '../errors.ts';
import { type Delta, summarise } from './delta.ts';
import type { ErrorList } from './errorList.ts';
import holdBlocked from './sql/guard/hold_blocked.sql';
import countKept from './sql/plan/count_kept.sql';
import planUndo from './sql/plan/plan_undo.sql';
import selectUndoConflicts from './sql/plan/select_undo_conflicts.sql';
import vacateAdded from './sql/plan/vacate_added.sql';

/**
 * Plans the inverse of what a run changed, for every member that still is as that run left it; the
 * others are reported as conflicts and stay as they are. Throws `not_found` for a run that is not in the
 * log or whose changes are not kept any more, `invalid_request` when they cannot be told from another's.
 */
export async function planTheUndo(
  client: pg.Client,
  runId: number,
  now: Date,
  errors: ErrorList,
): Promise<Delta> {
  await refuseIncomplete(client, runId);
  await client.query('delete from plan');
  await client.query(planUndo, [runId, now]);
  await client.query(vacateAdded, [runId]);
  while ((await client.query(holdBlocked)).rowCount);
  const conflicts = await client.query<{ external_id: string | null }>(selectUndoConflicts, [
    runId,
  ]);
  for (const { external_id } of conflicts.rows) {
    errors.add(
      'undo_conflict',
      external_id,
      `changed again since run ${runId}, or its kennitala is taken; left as it is`,
    );
  }
  await client.query('delete from plan where held is not null');
  return summarise(client);
}

// A part of a run is not undone, and no change that was not its own.
async function refuseIncomplete(client: pg.Client, runId: number): Promise<void> {
  const { rows } = await client.query<{ made: number; kept: number }>(countKept, [runId]);
  const [run] = rows;
  if (!run) throw new SyncError('not_found', `There is no run ${runId}. syncLogs lists the runs.`);
  const { made, kept } = run;
  if (kept < made) {
    throw new SyncError(
      'not_found',
      `The changes of run ${runId} are older than AUDIT_RETENTION_DAYS and no longer kept.`,
    );
  }
  if (kept > made) {
    throw new SyncError(
      'invalid_request',
      `Run ${runId} made ${made} change(s) and the audit trail has ${kept} under its number: sync_log was emptied, and the numbers of the runs have started over. Undo it by hand, with public.member_changes.`,
    );
  }
}
