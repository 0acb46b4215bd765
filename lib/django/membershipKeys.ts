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

export function countKeys(rows: readonly unknown[], fieldMap: FieldMap): KeyCounts {
  const counts: KeyCounts = { rows: rows.length, is_active: 0, deleted_at: 0 };
  for (const row of rows) {
    if (readPath(row, fieldMap.is_active) !== undefined) counts.is_active += 1;
    if (readPath(row, fieldMap.deleted_at) !== undefined) counts.deleted_at += 1;
  }
  return counts;
}

/** The keys that every row has; none where there are few rows. */
export const inEvery = ({ rows, is_active, deleted_at }: KeyCounts): MembershipKeys => ({
  is_active: rows >= TELLING && is_active === rows,
  deleted_at: rows >= TELLING && deleted_at === rows,
});

/** What fewer rows than these have in common may be chance. */
const TELLING = 10;
/** So many records may lack what all had, and a share of the list: one of another shape, or two. */
const ODD = { rows: 10, share: 0.05 };

export function addCounts(counts: KeyCounts, more: KeyCounts): void {
  counts.rows += more.rows;
  for (const name of names) counts[name] += more[name];
}

/**
 * Throws DjangoShapeError where many rows of a list lack a key that every row had earlier (`required`), as while a
 * register is brought to another release; and where none of a whole list has the key that DJANGO_FIELD_MAP names for
 * is_active otherwise than we do. A few without it are members, as ever; and a day of leaving may be left out of all.
 */
export function refuseLostKeys(
  counts: KeyCounts,
  required: MembershipKeys,
  fieldMap: FieldMap,
  path: string,
  isWhole: boolean,
): void {
  if (counts.rows === 0) return;
  const most = Math.max(ODD.rows, ODD.share * counts.rows);
  for (const name of names) {
    const wanted = fieldMap[name].join('.');
    if (wanted === '') continue;
    const lacking = counts.rows - counts[name];
    if (required[name] && (counts[name] === 0 || lacking > most)) {
      throw new DjangoShapeError(
        path,
        `with ${lacking} records that have no "${wanted}" any more${advice(name)}`,
      );
    }
    if (isWhole && name === 'is_active' && counts[name] === 0 && wanted !== name) {
      throw new DjangoShapeError(path, `with records that have no "${wanted}"${advice(name)}`);
    }
  }
}

/** Throws DjangoShapeError where a record has such a key in another spelling: camelCase, say. */
export function refuseOtherSpelling(
  records: readonly unknown[],
  fieldMap: FieldMap,
  path: string,
): void {
  for (const name of names) {
    const lacking = records.find((record) => readPath(record, fieldMap[name]) === undefined);
    const alike = spelledLike(lacking, fieldMap[name]);
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
