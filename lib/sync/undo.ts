import type pg from 'pg';
import { SyncError } from '../errors.ts';
import holdBlocked from '../sql/hold_blocked.sql';
import planUndo from '../sql/plan_undo.sql';
import selectUndoConflicts from '../sql/select_undo_conflicts.sql';
import vacateAdded from '../sql/vacate_added.sql';
import { type Delta, summarise } from './delta.ts';
import type { ErrorList } from './errorList.ts';

/**
 * Plans the inverse of what a run changed, for every member that still is as that run left it; the
 * others are reported as conflicts and stay as they are. Throws `not_found` for a run that is not in the
 * log or whose changes are not kept any more.
 */
export async function planTheUndo(
  client: pg.Client,
  runId: number,
  now: Date,
  errors: ErrorList,
): Promise<Delta> {
  const { rows } = await client.query<{ known: boolean; changed: boolean; kept: boolean }>(
    `select exists (select from public.sync_log where id = $1::int) as known,
      exists (select from public.member_changes where run_id = $1::int) as kept,
      exists (select from public.sync_log where id = $1::int
        and members_added + members_updated + members_reactivated + members_removed > 0) as changed`,
    [runId],
  );
  const { known, changed, kept } = rows[0] as { known: boolean; changed: boolean; kept: boolean };
  if (!known)
    throw new SyncError('not_found', `There is no run ${runId}. syncLogs lists the runs.`);
  if (changed && !kept)
    throw new SyncError(
      'not_found',
      `The changes of run ${runId} are older than AUDIT_RETENTION_DAYS and no longer kept.`,
    );
  await client.query('delete from plan');
  await client.query(planUndo, [runId, now]);
  await client.query(vacateAdded, [runId]);
  while ((await client.query(holdBlocked)).rowCount);
  const conflicts = await client.query<{ external_id: string | null }>(selectUndoConflicts, [
    runId,
  ]);
  for (const { external_id } of conflicts.rows)
    errors.add(
      'undo_conflict',
      external_id,
      `changed again since run ${runId}, or its kennitala is taken; left as it is`,
    );
  await client.query('delete from plan where held is not null');
  return summarise(client);
}
