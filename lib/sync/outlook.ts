import type pg from 'pg';
import { maskKennitala } from '../kennitala.ts';
import { type Delta, holdBack } from './delta.ts';
import type { ErrorList } from './errorList.ts';
import type { Verdict } from './guard.ts';
import type { ChosenMode } from './mode.ts';
import type { Run } from './session.ts';
import type { Snapshot } from './snapshot.ts';
import countApplied from './sql/apply/count_applied.sql';
import previewPlan from './sql/plan/preview_plan.sql';
import type { Action, Held, PreviewedChange, SyncResult } from './types.ts';

/** What planning found out. */
export interface Findings {
  chosen: ChosenMode;
  delta: Delta;
  errors: ErrorList;
  /** undefined for an undo, which has not seen the register and which no limit holds. */
  snapshot?: Snapshot;
  verdict?: Verdict;
  approved?: boolean;
  /** Removals dropped because the register did not confirm them. */
  unconfirmed?: number;
}

/** What a run is going to do and what it tells; the changes themselves are the rows of `plan`. */
export interface Outlook extends Findings {
  /** What is applied: the plan without what is held. */
  counts: Record<Action, number>;
  result: SyncResult;
}

/** Holds back what the verdict says, unless an admin approved, and turns the findings into the result. */
export async function conclude(run: Run, findings: Findings): Promise<Outlook> {
  const { client, request } = run;
  const { verdict, approved } = findings;
  const held = verdict && !approved ? await holdBack(client, verdict) : {};
  // Held changes wait, and of an approved plan the removals that the register did not confirm are gone.
  const recount = approved || Object.keys(held).length > 0;
  const counts = recount ? await countUnheld(client) : findings.delta.counts;
  const result = describe(run, findings, counts, held);
  if (request.dryRun) result.changes = await preview(run);
  return { ...findings, counts, result };
}

async function countUnheld(client: pg.Client): Promise<Record<Action, number>> {
  const { rows } = await client.query<Record<Action, number>>(countApplied);
  return rows[0] as Record<Action, number>;
}

function describe(
  { id, request, context, startedAt }: Run,
  { chosen, delta, errors, snapshot, unconfirmed = 0 }: Findings,
  counts: Record<Action, number>,
  held: Held,
): SyncResult {
  const { suspended, digest } = delta;
  const anyHeld = Object.keys(held).length > 0;
  return {
    run_id: id,
    sync_type: request.syncType,
    mode: chosen.mode,
    status: anyHeld ? 'held' : errors.count() > 0 ? 'partial' : 'success',
    dry_run: request.dryRun,
    timestamp: startedAt.toISOString(),
    duration_ms: context.now().getTime() - startedAt.getTime(),
    members_fetched: snapshot?.fetched ?? 0,
    members_added: counts.add,
    members_updated: counts.update,
    members_reactivated: counts.reactivate,
    members_removed: counts.remove,
    members_verified: snapshot ? verified(snapshot, delta) : 0,
    members_suspended: suspended,
    removals_unconfirmed: unconfirmed,
    error_count: errors.count(),
    errors: errors.shown(),
    plan: digest,
    ...(anyHeld ? { held } : {}),
  };
}

// Every member of the register is active here already, or suspended, or among the additions.
const verified = ({ members }: Snapshot, { counts, suspended, nameless }: Delta) =>
  members - counts.add - counts.reactivate - suspended - nameless;

async function preview({ client, request }: Run): Promise<PreviewedChange[]> {
  const { rows } = await client.query(previewPlan, [request.previewLimit]);
  return rows.map(({ action, external_id, kennitala, fields, held }) => ({
    action,
    external_id,
    kennitala: maskKennitala(kennitala),
    fields,
    ...(held === null ? {} : { held }),
  }));
}
