import type pg from 'pg';
import * as z from 'zod/mini';
import { SyncError } from '../errors.ts';
import { maskKennitala } from '../kennitala.ts';
import { shownId } from '../redact.ts';
import { judgeSetAside } from './findings.ts';
import { digestOf } from './plan.ts';
import type { Planned } from './planRun.ts';
import countHeld from './sql/guard/count_held.sql';
import previewPlan from './sql/plan/preview_plan.sql';
import summarisePlan from './sql/plan/summarise_plan.sql';
import {
  type Action,
  type ChangeClass,
  type Held,
  type HeldClass,
  type HeldReason,
  isApproved,
  type PreviewedChange,
  type Run,
  type SyncResult,
} from './types.ts';

/** What the plan says of itself, counted from its rows. */
export interface Summary {
  added: number;
  updated: number;
  /** Of the updated ones, those that get another kennitala. */
  kennitala_changed: number;
  reactivated: number;
  removed: number;
  /** Applied changes that count towards the limits of later runs. */
  counted: number;
  /** Members of the register without an active row here before this run. */
  not_here: number;
  /** Changes of the plan, whether they are held or not. */
  total: number;
  suspended: number;
  unconfirmed: number;
}

/** Reads what the plan applies. Throws what pg throws. */
export async function summarise(client: pg.Client): Promise<Summary> {
  const { rows } = await client.query<Summary>(summarisePlan);
  return rows[0] as Summary;
}

/** The result of a run or a dry run, read from the plan as it stands. Throws what pg throws. */
export async function describe(run: Run, planned: Planned, known?: Summary): Promise<SyncResult> {
  const { client, id, request, startedAt, elapsed, mode } = run;
  const { snapshot } = planned;
  const { errors } = snapshot;
  const summary = known ?? (await summarise(client));
  const held = await readHeld(run, planned);
  const anyHeld = Object.keys(held).length > 0;
  const setAside = await judgeSetAside(run, snapshot, request.dryRun ? gainOf(summary) : 0);
  const { digest } = await digestOf(run);
  const { mismatches } = snapshot.proof;
  return {
    run_id: id,
    sync_type: request.syncType,
    mode,
    status: anyHeld ? 'held' : errors.count() > 0 ? 'partial' : 'success',
    dry_run: request.dryRun,
    timestamp: startedAt.toISOString(),
    duration_ms: elapsed(),
    members_fetched: snapshot.fetched,
    members_added: summary.added,
    members_updated: summary.updated,
    members_kennitala_changed: summary.kennitala_changed,
    members_reactivated: summary.reactivated,
    members_removed: summary.removed,
    // Every member of the register is active here already, or suspended, or was not here.
    members_verified:
      mode === 'undo'
        ? 0
        : snapshot.members - snapshot.disputed - summary.not_here - summary.suspended,
    members_suspended: summary.suspended,
    removals_unconfirmed: summary.unconfirmed,
    error_count: errors.count(),
    errors: errors.shown(),
    ...(anyHeld && !canBeApproved(held) ? {} : { plan: digest }),
    ...(anyHeld ? { held } : {}),
    ...(mismatches.length > 0 ? { mismatches } : {}),
    ...(setAside ? { set_aside: setAside } : {}),
    ...(request.dryRun ? { ...(await preview(run, digest)), changes_total: summary.total } : {}),
  };
}

const gainOf = ({ added, reactivated, removed }: Summary) => added + reactivated - removed;

// Where a part of the register was not seen and no change waits for that, there is nothing to approve.
const canBeApproved = (held: Held) =>
  Object.values(held).some(({ count, reason }) => count > 0 || reason !== 'snapshot_incomplete');

// A class that the guard holds is named even without a change: the walk saw too little to know of any.
async function readHeld({ client, request }: Run, { verdict, snapshot }: Planned): Promise<Held> {
  const held: Held = {};
  const add = (name: ChangeClass, reason: HeldReason, count: number) => {
    const known: HeldClass = held[name] ?? { count: 0, limit: verdict.limits[name], reason };
    held[name] = { ...known, count: known.count + count };
  };
  for (const [name, reason] of Object.entries(verdict.holds) as [ChangeClass, HeldReason][]) {
    if (!isApproved(request, name)) add(name, reason, 0);
  }
  // An approval is of changes: it makes no incomplete reading complete.
  if (!snapshot.proof.complete) add('removals', 'snapshot_incomplete', 0);
  const { rows } = await client.query<{ class: ChangeClass; reason: HeldReason; count: number }>(
    countHeld,
  );
  for (const { class: name, reason, count } of rows) {
    add(name, reason, count);
    const known = held[name];
    if (reason === 'undone' && known && known.reason !== 'undone') known.undone = count;
  }
  return held;
}

interface PlanRow {
  action: Action;
  external_id: string | null;
  kennitala: string;
  fields: string[];
  held: HeldReason | null;
  name: string | null;
  evidence: string | null;
  reason: string | null;
  confirmed: string | null;
  before: Record<string, unknown>;
  after: Record<string, unknown>;
}

// The changes of the plan, a page at a time and in an order that the same plan always has. The kennitala is
// masked. Throws `invalid_request` for an `after` that no dry run gave, and `plan_changed` when it is of another
// plan: the last page of a list must not name a digest of changes that no page has shown.
async function preview(
  { client, request }: Run,
  plan: string,
): Promise<{ changes: PreviewedChange[]; next: string | null }> {
  const { previewLimit, previewAfter, details } = request;
  const [offset, listed] = previewAfter === undefined ? [0, plan] : readPlace(previewAfter);
  if (listed !== plan) {
    const message =
      'The plan has changed since the page before: begin the list again, without after.';
    throw new SyncError('plan_changed', message, { extra: { plan, changed: null } });
  }
  // One row more than asked for shows whether there is a next page.
  const { rows } = await client.query<PlanRow>(previewPlan, [previewLimit + 1, offset]);
  const shown = rows.slice(0, previewLimit);
  return {
    changes: shown.map((row) => ({ ...inShort(row), ...(details ? inFull(row) : {}) })),
    next: rows.length > previewLimit ? writePlace([offset + previewLimit, plan]) : null,
  };
}

// The order of a plan's changes is always the same, so a number says how far a list has come.
type Place = [offset: number, plan: string];
const place = z.tuple([z.int().check(z.minimum(0)), z.string()]);

const writePlace = (reached: Place): string =>
  Buffer.from(JSON.stringify(reached)).toString('base64url');

function readPlace(after: string): Place {
  try {
    return z.parse(place, JSON.parse(Buffer.from(after, 'base64url').toString()));
  } catch {
    // Not what we wrote.
  }
  throw new SyncError(
    'invalid_request',
    'after must be the next of an earlier dry run, as it was answered.',
  );
}

const inShort = ({ action, external_id, kennitala, fields, held }: PlanRow): PreviewedChange => ({
  action,
  external_id: shownId(external_id),
  kennitala: maskKennitala(kennitala),
  fields,
  ...(held === null ? {} : { held }),
});

const inFull = (row: PlanRow) => ({
  name: row.name,
  before: row.action === 'add' ? null : only(row.fields, row.before),
  after: only(row.fields, row.after),
  reason: reasonOf(row),
});

function only(fields: string[], state: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    fields.map((field) => {
      const value = state[field] ?? null;
      return [field, typeof value === 'string' ? shownText(field, value) : value];
    }),
  );
}

/** A value of a field as it may be shown. */
export function shownText(field: string, value: string): string {
  if (field === 'kennitala') return maskKennitala(value);
  // UTC without a zone.
  if (field === 'removed_at') return new Date(`${value}Z`).toISOString();
  return field === 'external_id' ? shownId(value) : value;
}

/** What a plan goes by, in words. */
export const evidences: Record<string, string> = {
  absent: 'not in the list',
  superseded: 'the register has the same Django id with another kennitala',
  not_a_member: 'the register says that this is no member',
  unlinked: 'the register has another kennitala for the member that this row was linked to',
  undo: 'an earlier run is taken back',
  released: 'in the list, and an admin releases them',
};
/** What the register said of a removal, in words. */
export const confirmations: Record<string, string> = {
  gone: 'Django says 404',
  unlisted: 'the list was read twice',
  not_a_member: "Django's own page of the member says that this is no member",
};

/** Why a change is planned, in words; pure. A date in it is YYYY-MM-DD. */
export function reasonOf({
  action,
  fields,
  evidence,
  reason,
  confirmed,
}: Pick<PlanRow, 'fields' | 'evidence' | 'reason' | 'confirmed'> & { action: string }): string {
  if (evidence === 'not_a_member' && reason !== null) return reason;
  if (evidence === 'absent' && confirmed === 'unlisted') return 'not in the list, read twice';
  if (evidence !== null) {
    const said = confirmed === 'not_a_member' ? reason : null;
    const words = [evidences[evidence] ?? evidence, said ?? confirmations[confirmed ?? '']];
    return words.filter(Boolean).join('; ');
  }
  if (action === 'add') return 'in the list, and not here';
  if (action === 'reactivate') return 'in the list again';
  if (fields.includes('kennitala')) return 'the register has another kennitala for this member';
  return `the register has another ${fields.join(', ')}`;
}
