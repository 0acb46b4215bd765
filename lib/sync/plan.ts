import type pg from 'pg';
import { SyncError } from '../errors.ts';
import { shownId } from '../redact.ts';
import { holdBlockedChanges } from './guard.ts';
import type { Snapshot } from './snapshot.ts';
import fillSpare from './sql/apply/fill_spare.sql';
import countKept from './sql/plan/count_kept.sql';
import digestPlan from './sql/plan/digest_plan.sql';
import dropBlocked from './sql/plan/drop_blocked.sql';
import dropUnchanged from './sql/plan/drop_unchanged.sql';
import findMoves from './sql/plan/find_moves.sql';
import findOccupied from './sql/plan/find_occupied.sql';
import ignoreRewritten from './sql/plan/ignore_rewritten.sql';
import isEmpty from './sql/plan/is_empty.sql';
import pairChanged from './sql/plan/pair_changed.sql';
import pairRecords from './sql/plan/pair_records.sql';
import planAdditions from './sql/plan/plan_additions.sql';
import planRemovals from './sql/plan/plan_removals.sql';
import planRenumbered from './sql/plan/plan_renumbered.sql';
import planUndo from './sql/plan/plan_undo.sql';
import planUnlinked from './sql/plan/plan_unlinked.sql';
import planUpdates from './sql/plan/plan_updates.sql';
import recallUnlinked from './sql/plan/recall_unlinked.sql';
import selectNamed from './sql/plan/select_named.sql';
import selectSharedIds from './sql/plan/select_shared_ids.sql';
import selectUndoConflicts from './sql/plan/select_undo_conflicts.sql';
import selectUnknownChanges from './sql/plan/select_unknown_changes.sql';
import setDisputedAside from './sql/plan/set_disputed_aside.sql';
import vacateAdded from './sql/plan/vacate_added.sql';
import type { ErrorList, Run } from './types.ts';

// Without statistics of what the applicable part is chosen by, the planner takes it for one row, and joins each change
// with all the others: 6,000 additions took 18 s, and take 0.8 s.
const countActions = 'analyze pg_temp.plan (action, turn, member_id, held, set_aside)';

/**
 * Works out what was added, changed, came back or left, as rows of `plan`: record beside row, then the rows
 * that move, then the changes by kind. Unchanged members never leave the database. Returns whether record and
 * row differ anywhere: else there is no change to judge. Throws what pg throws.
 */
export async function planChanges(run: Run, snapshot: Snapshot): Promise<boolean> {
  const { client, mode, startedAt } = run;
  const pairs = await client.query(pairRecords, [startedAt]);
  if (pairs.rowCount) await planPairs(run, snapshot);
  if (mode !== 'full') await setRenumberedAside(client, snapshot.errors);
  return Boolean(pairs.rowCount);
}

async function planPairs(run: Run, snapshot: Snapshot): Promise<void> {
  const { errors } = snapshot;
  const { client, mode, startedAt, request } = run;
  const wholeRegister = mode === 'full';
  await setDisputesAside(run, snapshot);
  await client.query(recallUnlinked);
  await client.query(findMoves);
  // What is planned first is tried first: votes before addresses, where the database refuses many.
  await client.query(planRemovals, [wholeRegister, startedAt]);
  const { rows: here } = await client.query<{ is_empty: boolean }>(isEmpty);
  await client.query(planAdditions, [here[0]?.is_empty]);
  const isWhole = wholeRegister && snapshot.proof.complete && snapshot.unidentified === 0;
  await client.query(planUpdates, [request.release === true, isWhole]);
  await client.query(planUnlinked);
  if ((await client.query(ignoreRewritten)).rowCount) await client.query(dropUnchanged);
  await client.query(countActions);
  await client.query(findOccupied);
  const named = await client.query<Named & { code: keyof typeof words }>(selectNamed);
  for (const { external_id, code } of named.rows) errors.add(code, external_id, words[code]);
}

const words = {
  invalid_name: 'a new member needs a name and the record has none',
  inactive_here:
    'the register has this member, and the row here is inactive: another service or a person made it so. If the member may vote, call syncScheduled with this id in external_ids and with release: true',
};

// A record that is set aside keeps its own row, whose kennitala another record may be waiting for.
async function setDisputesAside({ client, mode, request }: Run, snapshot: Snapshot) {
  const settings = [mode === 'full', request.release === true];
  for (;;) {
    const { rows } = await client.query<Named>(setDisputedAside, settings);
    if (rows.length === 0) return;
    snapshot.disputed += rows.length;
    for (const { external_id } of rows) {
      snapshot.errors.add('duplicate_kennitala', external_id, disputed);
    }
  }
}

const disputed =
  'the member here who has this kennitala has another Django id, whose record could not be read or was not asked for, or may be one that does not say its id; both stay as they are';

interface Named {
  external_id: string | null;
}

async function setRenumberedAside(client: pg.Client, errors: ErrorList): Promise<void> {
  const { rows } = await client.query<Named>(planRenumbered);
  for (const { external_id } of rows) {
    errors.add(
      'removal_unconfirmed',
      external_id,
      'the register answered with another kennitala than the row here has; compare the two',
    );
  }
}

/**
 * Plans the inverse of what a run changed, for every member that still is as that run left it; the
 * others are reported as conflicts and stay as they are. Throws `not_found` for a run that is not in the
 * log or whose changes are not kept any more, `invalid_request` when they cannot be told from another's, or an id names
 * several members and nobody has looked.
 */
export async function planInverse(run: Run, runId: number, errors: ErrorList): Promise<void> {
  const { client, startedAt, request } = run;
  const only = request.externalIds ?? null;
  await refuseIncomplete(client, runId);
  await client.query(pairChanged, [runId]);
  const { rowCount } = await client.query(planUndo, [runId, startedAt, only]);
  if (only && !request.dryRun && request.approvedPlan === undefined) {
    await refuseShared(client, runId, only);
  }
  await client.query(countActions);
  await client.query('delete from pg_temp.spare');
  await client.query(fillSpare, [rowCount]);
  await client.query(vacateAdded, [runId]);
  await client.query(findOccupied);
  await holdBlockedChanges(run);
  await client.query(dropBlocked);
  if (only) await nameUnknown(client, runId, only, errors);
  const { rows } = await client.query<Named>(selectUndoConflicts, [runId, only]);
  for (const { external_id } of rows) {
    errors.add(
      'undo_conflict',
      external_id,
      `changed again since run ${runId}, or its kennitala is taken; left as it is`,
    );
  }
}

async function nameUnknown(client: pg.Client, runId: number, ids: string[], errors: ErrorList) {
  const { rows } = await client.query<Named>(selectUnknownChanges, [runId, ids]);
  for (const { external_id } of rows) {
    errors.add('unknown_id', external_id, `run ${runId} changed no member with this id`);
  }
}

// A run may have used an id again, or exchanged two: who names it may know of one member only.
async function refuseShared(client: pg.Client, runId: number, ids: string[]): Promise<void> {
  const { rows } = await client.query<{ external_id: string }>(selectSharedIds, [runId, ids]);
  if (rows.length === 0) return;
  const shared = rows.map(({ external_id }) => shownId(external_id)).join(', ');
  throw new SyncError(
    'invalid_request',
    `In run ${runId} more than one member has the Django id ${shared}. Look with syncDryRun and the same body, then call again with the plan that it answers, and with classes for some of these changes only.`,
  );
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

export interface Digest {
  /** What an approval of the plan must name. */
  digest: string;
  /** Names the changes themselves; an approval that is applied spends it. */
  changes: string;
}

/** Names what waits for an approval, or all of the plan where nothing does. Throws what pg throws. */
export async function digestOf({ client, request }: Run): Promise<Digest> {
  const subject = request.undo === undefined ? '' : `undo ${request.undo}`;
  const { rows } = await client.query<Digest>(digestPlan, [subject]);
  return rows[0] as Digest;
}
