import * as z from 'zod/mini';
import { SyncError } from '../errors.ts';
import { maskKennitala } from '../kennitala.ts';
import { shownId } from '../redact.ts';
import type { Run } from './session.ts';
import previewPlan from './sql/plan/preview_plan.sql';
import type { Action, HeldReason, PreviewedChange } from './types.ts';

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

/**
 * The changes of the plan, a page at a time and in an order that the same plan always has. The kennitala is
 * masked. Throws `invalid_request` for an `after` that no dry run gave, and `plan_changed` when it is of another
 * plan: the last page of a list must not name a digest of changes that no page has shown.
 */
export async function preview(
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
