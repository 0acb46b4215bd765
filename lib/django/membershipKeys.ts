import type { FieldMap } from '../variables.ts';
import { DjangoShapeError } from './errors.ts';
import { readPath } from './fields.ts';

// A record without them is one of a member: many registers list members only. So a key that gets lost, or another
// name, would make members of all who left.
const names = ['is_active', 'deleted_at'] as const;

/** Of each key that decides membership, whether something is so. */
export type MembershipKeys = Record<(typeof names)[number], boolean>;

export const noKeys: MembershipKeys = { is_active: false, deleted_at: false };

/** Without those of which DJANGO_FIELD_MAP says that the register has none. */
export const onlyMapped = (keys: MembershipKeys, fieldMap: FieldMap): MembershipKeys => ({
  is_active: keys.is_active && fieldMap.is_active.join('.') !== '',
  deleted_at: keys.deleted_at && fieldMap.deleted_at.join('.') !== '',
});

/** How many of the rows that were counted have each key. */
export interface KeyCounts {
  rows: number;
  is_active: number;
  deleted_at: number;
}

/** Keys that one or the other needs. */
export const eitherOf = (one: MembershipKeys, other: MembershipKeys): MembershipKeys => ({
  is_active: one.is_active || other.is_active,
  deleted_at: one.deleted_at || other.deleted_at,
});

export const countKeys = (rows: readonly unknown[], fieldMap: FieldMap): KeyCounts => ({
  rows: rows.length,
  is_active: rows.filter((row) => readPath(row, fieldMap.is_active) !== undefined).length,
  deleted_at: rows.filter((row) => readPath(row, fieldMap.deleted_at) !== undefined).length,
});

/** The keys that every row has; none where there is no row. */
export const inEvery = ({ rows, is_active, deleted_at }: KeyCounts): MembershipKeys => ({
  is_active: rows > 0 && is_active === rows,
  deleted_at: rows > 0 && deleted_at === rows,
});

export function addCounts(counts: KeyCounts, more: KeyCounts): void {
  counts.rows += more.rows;
  for (const name of names) counts[name] += more[name];
}

/**
 * Throws DjangoShapeError where no row of a list has a key that every row had earlier (`required`), or that
 * DJANGO_FIELD_MAP names otherwise than we do. One record without it is one of a member, as ever.
 */
export function refuseLostKeys(
  counts: KeyCounts,
  required: MembershipKeys,
  fieldMap: FieldMap,
  path: string,
): void {
  if (counts.rows === 0) return;
  for (const name of names) {
    const wanted = fieldMap[name].join('.');
    if (wanted === '' || counts[name] > 0) continue;
    if (required[name]) {
      throw new DjangoShapeError(path, `with no "${wanted}" any more${advice(name)}`);
    }
    if (wanted !== name) {
      throw new DjangoShapeError(path, `with records that have no "${wanted}"${advice(name)}`);
    }
  }
}

/** Throws DjangoShapeError where a record has such a key in another spelling: camelCase, say. */
export function refuseOtherSpelling(record: unknown, fieldMap: FieldMap, path: string): void {
  for (const name of names) {
    if (readPath(record, fieldMap[name]) !== undefined) continue;
    const alike = spelledLike(record, fieldMap[name]);
    if (alike === undefined) continue;
    const wanted = fieldMap[name].join('.');
    throw new DjangoShapeError(
      path,
      `with records that have "${alike}" and no "${wanted}"${advice(name)}`,
    );
  }
}

const advice = (name: string) =>
  `, which would make members of all who left. Name the key of ${name} in DJANGO_FIELD_MAP, or "" if the register has none.`;

// A renderer that writes camelCase changes every key that has two words.
function spelledLike(record: unknown, path: readonly string[]): string | undefined {
  const parent = readPath(record, path.slice(0, -1));
  if (typeof parent !== 'object' || parent === null) return undefined;
  const bare = (key: string) => key.replace(/[^a-z0-9]/gi, '').toLowerCase();
  const key = bare(path.at(-1) ?? '');
  return key === '' ? undefined : Object.keys(parent).find((each) => bare(each) === key);
}
