import type { SyncResult } from '../../lib/sync/types.ts';
import type { Row, TestDatabase } from './database.ts';

/** A row of the audit trail. */
export interface Audited extends Row {
  member_id: number;
  action: string;
  fields: string[];
  before: Row | null;
  after: Row;
}

/** What one run changed, oldest first. */
export const changesOf = ({ query }: TestDatabase, runId: number | null): Promise<Audited[]> =>
  query<Audited>('select * from public.member_changes where run_id = $1 order by id', [runId]);

/** What of a row the audit trail keeps, with times written as it writes them. */
export const comparable = (row: Row | null | undefined): Row | null => {
  if (!row) return null;
  const { kennitala, name, email, phone, external_id, is_active, removed_at } = row;
  return {
    kennitala,
    name,
    email,
    phone,
    external_id,
    is_active,
    removed_at: removed_at === null ? null : String(removed_at).replace(' ', 'T'),
  };
};

export const rowsById = (rows: Row[]): Map<number, Row> =>
  new Map(rows.map((row) => [Number(row['id']), row]));

/** Fails unless the audit trail is exactly the difference between two states, and the result counts it. Returns it. */
export async function expectAudited(
  database: TestDatabase,
  before: Row[],
  after: Row[],
  result: SyncResult,
): Promise<Audited[]> {
  const changes = await changesOf(database, result.run_id);
  const changed = new Map(changes.map((row) => [row.member_id, row]));
  expect(changed.size).toBe(changes.length);
  const rowsBefore = rowsById(before);
  for (const row of after) {
    const own = changed.get(Number(row['id']));
    const old = rowsBefore.get(Number(row['id'])) ?? null;
    if (!own) {
      expect(row).toEqual(old);
      continue;
    }
    expect([comparable(own.before), comparable(own.after)]).toEqual([
      comparable(old),
      comparable(row),
    ]);
    expect(own.action === 'add').toBe(old === null);
    const { added_at, metadata, sync_source } = old ?? row;
    // A release makes a row of another service the register's, and its undo gives it back.
    const isReleased =
      result.mode === 'selected' && own.action === 'reactivate' && row['sync_source'] === 'django';
    const source = isReleased || result.mode === 'undo' ? {} : { sync_source };
    expect(row).toMatchObject({ added_at, metadata, ...source });
  }
  const count = (action: string) => changes.filter((row) => row.action === action).length;
  const renumbered = changes.filter(
    ({ action, fields }) => action === 'update' && fields.includes('kennitala'),
  );
  const { members_added, members_updated, members_reactivated, members_removed } = result;
  expect([count('add'), count('update'), count('reactivate'), count('remove')]).toEqual([
    members_added,
    members_updated,
    members_reactivated,
    members_removed,
  ]);
  expect(result.members_kennitala_changed).toBe(renumbered.length);
  return changes;
}
