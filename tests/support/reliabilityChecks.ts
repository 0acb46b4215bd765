import { isDeepStrictEqual } from 'node:util';
import {
  type ChangeClass,
  changeClasses,
  type PreviewedChange,
  type SyncResult,
} from '../../lib/sync/types.ts';
import type { Row, TestDatabase } from './database.ts';
import { type Audited, comparable, rowsById } from './reliabilityAudit.ts';
import type { Person } from './reliabilityRegister.ts';
import { isInactiveHere } from './reliabilityRules.ts';

type Named = Pick<PreviewedChange, 'action' | 'fields'>;
/** The class in whose limit a change counts. */
const classOf = ({ action, fields }: Named): ChangeClass => {
  if (action === 'remove') return 'removals';
  if (action !== 'update') return 'additions';
  return fields.includes('kennitala') ? 'kennitala_changes' : 'updates';
};

/** What a dry run says will be done: what is not held, or is of the classes that are approved. */
export interface Planned {
  certain: PreviewedChange[];
  /** What may hang on a change that waits: whether it can be made shows in the run. */
  possible: PreviewedChange[];
}

export function planned({ changes = [] }: SyncResult, approved?: ChangeClass[] | 'all'): Planned {
  const given = (one: PreviewedChange) =>
    approved === 'all' || (approved?.includes(classOf(one)) ?? false);
  const done = changes.filter((one) => !one.held || given(one));
  const isOpen = ({ held, fields }: PreviewedChange) =>
    approved !== 'all' && held !== undefined && fields.includes('kennitala');
  return { certain: done.filter((one) => !isOpen(one)), possible: done.filter(isOpen) };
}

const named = ({ action, fields }: Named, external_id: unknown) =>
  `${action} ${external_id} ${[...fields].sort()}`;

/** Fails unless the run did what its dry run had said, change for change and figure for figure. */
export function expectApplied(
  { certain, possible }: Planned,
  changes: Audited[],
  looked?: SyncResult,
  result?: SyncResult,
): void {
  const done = changes.map((one) => named(one as never, one.after['external_id'])).sort();
  const certainly = certain.map((one) => named(one, one.external_id)).sort();
  const perhaps = possible.map((one) => named(one, one.external_id));
  expect(done.filter((one) => !perhaps.includes(one))).toEqual(
    certainly.filter((one) => !perhaps.includes(one)),
  );
  if (!looked || !result) return;
  expect(figures(result)).toEqual(figures(looked));
  expect(looked.changes).toHaveLength(looked.changes_total ?? -1);
}

const figures = ({
  run_id,
  dry_run,
  timestamp,
  duration_ms,
  changes: _changes,
  changes_total: _total,
  next: _next,
  ...same
}: SyncResult) => same;

/** Fails when what nobody approved is more than the limit, all runs together. */
export async function expectWithinLimits(
  { query }: TestDatabase,
  limit: number,
  released: number[],
): Promise<void> {
  const done = await query<Named>(
    'select action, fields from public.member_changes where run_id <> all($1::int[])',
    [released],
  );
  const counts = changeClasses.map((name) => done.filter((one) => classOf(one) === name).length);
  expect(counts.filter((count) => count > limit)).toEqual([]);
}

/**
 * Fails unless the members are what the register says: every member an active row with its values, and no other
 * row of ours active, but for what waits, what is named in the errors, and what is inactive by another's will.
 */
export function expectRegister(
  records: readonly Person[],
  before: Row[],
  after: Row[],
  result: SyncResult,
  waiting: PreviewedChange[] = [],
): void {
  const held = new Set(waiting.map(({ external_id }) => external_id));
  const errors = new Set(result.errors.map(({ code, external_id }) => `${code} ${external_id}`));
  const members = records.filter(({ is_active, deleted_at }) => is_active && !deleted_at);
  const old = rowsById(before);
  const wrong: unknown[] = [];
  for (const member of members) {
    const row = after.find(({ kennitala }) => kennitala === member.kennitala);
    if (held.has(String(member.id)) || held.has((row?.['external_id'] as string) ?? '')) continue;
    const { kennitala, name, email, phone, id } = member;
    if (errors.has(`just_changed ${id}`)) continue;
    const was = old.get(Number(row?.['id']));
    const linked = before.some((one) => one['external_id'] === String(id) && isInactiveHere(one));
    // Who meets a row that is inactive by another's will is named, unless that was decided of this member. A row that is
    // linked to them keeps its kennitala.
    if ((isInactiveHere(was) || linked) && errors.has(`inactive_here ${id}`)) continue;
    const isSuspended = isInactiveHere(was) && linked;
    const written = name.normalize('NFC').trim();
    const wanted = {
      kennitala,
      name: written,
      email,
      phone: phone || null,
      external_id: String(id),
      is_active: !isSuspended,
    };
    const is = row && Object.fromEntries(Object.keys(wanted).map((key) => [key, row[key]]));
    if (!isDeepStrictEqual(is, wanted)) wrong.push({ member, row, was });
  }
  const known = new Set<unknown>(members.map(({ kennitala }) => kennitala));
  for (const row of after) {
    const { sync_source, is_active, kennitala, external_id } = row;
    if (sync_source !== 'django' || !is_active || known.has(kennitala)) continue;
    if (held.has(external_id as string | null)) continue;
    if (errors.has(`removal_unconfirmed ${external_id}`)) continue;
    if (errors.has(`just_changed ${external_id}`)) continue;
    wrong.push({ stillHere: row });
  }
  expect({ wrong, errors: result.errors, waiting }).toEqual({
    wrong: [],
    errors: result.errors,
    waiting,
  });
}

/** Fails unless an undo gave back what it could of these changes, whole or not at all, and touched nothing else. */
export function expectUndone(
  changes: Audited[],
  before: Row[],
  after: Row[],
  { held, errors }: SyncResult,
  externalIds: string[] | undefined,
): void {
  const [old, now] = [rowsById(before), rowsById(after)];
  const asked = new Map(changes.map((one) => [one.member_id, one]));
  const ids = ({ before: first, after: last }: Audited) =>
    [first, last].map((one) => one?.['external_id']);
  const known = new Set(changes.flatMap(ids));
  const unknown = (externalIds ?? []).filter((id) => !known.has(id));
  expect(errors.filter(({ code }) => code === 'unknown_id').map((one) => one.external_id)).toEqual(
    unknown,
  );
  const conflicts = errors
    .filter(({ code }) => code === 'undo_conflict')
    .map((one) => one.external_id);
  // The kennitala that goes back belongs to another row by now.
  const isOccupied = ({ member_id, before: first }: Audited) =>
    after.some((row) => row['id'] !== member_id && row['kennitala'] === first?.['kennitala']);
  const wrong: unknown[] = [];
  for (const [id, row] of now) {
    const was = old.get(id);
    const change = asked.get(id);
    const isNamed =
      !externalIds || (change && ids(change).some((one) => externalIds.includes(one as string)));
    const same = isDeepStrictEqual(row, was);
    const intact = isDeepStrictEqual(comparable(was), comparable(change?.after));
    if (!change || !isNamed || !intact) {
      if (!same) wrong.push({ touched: row, was, change });
      continue;
    }
    const back = change.before
      ? isDeepStrictEqual(comparable(row), comparable(change.before))
      : row['is_active'] === false && row['removed_at'] !== null;
    const isConflict = ids(change).some((one) => conflicts.includes(one as string));
    const excused = same && (held || (isConflict && isOccupied(change)));
    if (!back && !excused) wrong.push({ notGivenBack: row, was, change });
  }
  expect({ wrong, held, errors }).toEqual({ wrong: [], held, errors });
}
