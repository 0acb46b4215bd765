import type pg from 'pg';
import { maskKennitala } from '../kennitala.ts';
import { digestOf } from './plan.ts';
import type { Planned } from './planRun.ts';
import type { Run } from './session.ts';
import countHeld from './sql/guard/count_held.sql';
import previewPlan from './sql/plan/preview_plan.sql';
import summarisePlan from './sql/plan/summarise_plan.sql';
import type {
  ChangeClass,
  Held,
  HeldClass,
  HeldReason,
  PreviewedChange,
  SyncResult,
} from './types.ts';

/** What the plan says of itself, counted from its rows. */
export interface Summary {
  added: number;
  updated: number;
  reactivated: number;
  removed: number;
  /** Applied changes that count towards the limits of later runs. */
  counted: number;
  /** Members of the register without an active row here before this run. */
  not_here: number;
  suspended: number;
  unconfirmed: number;
}

/** Reads what the plan applies. Throws what pg throws. */
export async function summarise(client: pg.Client): Promise<Summary> {
  const { rows } = await client.query<Summary>(summarisePlan);
  return rows[0] as Summary;
}

/** The result of a run or a dry run, read from the plan as it stands. Throws what pg throws. */
export async function describe(run: Run, planned: Planned): Promise<SyncResult> {
  const { client, id, request, context, startedAt, mode } = run;
  const { snapshot } = planned;
  const { errors } = snapshot;
  const summary = await summarise(client);
  const held = await readHeld(run, planned);
  const anyHeld = Object.keys(held).length > 0;
  return {
    run_id: id,
    sync_type: request.syncType,
    mode,
    status: anyHeld ? 'held' : errors.count() > 0 ? 'partial' : 'success',
    dry_run: request.dryRun,
    timestamp: startedAt.toISOString(),
    duration_ms: context.now().getTime() - startedAt.getTime(),
    members_fetched: snapshot.fetched,
    members_added: summary.added,
    members_updated: summary.updated,
    members_reactivated: summary.reactivated,
    members_removed: summary.removed,
    // Every member of the register is active here already, or suspended, or was not here.
    members_verified: mode === 'undo' ? 0 : snapshot.members - summary.not_here - summary.suspended,
    members_suspended: summary.suspended,
    removals_unconfirmed: summary.unconfirmed,
    error_count: errors.count(),
    errors: errors.shown(),
    plan: await digestOf(client),
    ...(anyHeld ? { held } : {}),
    ...(request.dryRun ? { changes: await preview(run) } : {}),
  };
}

// A class that the guard holds is named even without a change: the walk saw too little to know of any.
async function readHeld({ client, request }: Run, { verdict, snapshot }: Planned): Promise<Held> {
  const held: Held = {};
  const add = (name: ChangeClass, reason: HeldReason, count: number) => {
    const known: HeldClass = held[name] ?? { count: 0, limit: verdict.limits[name], reason };
    held[name] = { ...known, count: known.count + count };
  };
  if (request.approvedPlan === undefined) {
    for (const [name, reason] of Object.entries(verdict.holds)) add(name as ChangeClass, reason, 0);
    if (!snapshot.proof.complete) add('removals', 'snapshot_incomplete', 0);
  }
  const { rows } = await client.query<{ class: ChangeClass; reason: HeldReason; count: number }>(
    countHeld,
  );
  for (const { class: name, reason, count } of rows) add(name, reason, count);
  return held;
}

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
