import type pg from 'pg';

/** A session looks once for what strangers have put into schema public: what is put there later is not found. */
export const PINNED = 'pg_catalog, pg_temp';
/**
 * Before a statement that triggers of others follow: they may name their tables without a schema, and write to tables
 * with row level security. Rows of ours that it could hide have failed the run before.
 */
export const openPath = `select set_config('search_path', current_setting('membership_sync.writing_path'), true),
  set_config('row_security', 'on', true)`;
/** After it. A SET LOCAL would go on to the other nodes of Citus with all of its message. */
export const pinPath = `select set_config('search_path', '${PINNED}', true), set_config('row_security', 'off', true)`;

/** Does work whose statements triggers of others follow, in a transaction. Throws what the work throws. */
export async function openly<T>(client: pg.Client, work: () => Promise<T>): Promise<T> {
  await client.query(openPath);
  const result = await work();
  await client.query(pinPath);
  return result;
}

const tables = [
  'members',
  'member_changes',
  'sync_log',
  'open_findings',
  'held_changes',
  'undone_changes',
  'rewritten_values',
];
/** Before the path is pinned: an index on an expression calls others' functions, which are looked up at the first read. */
export const firstLook = tables.map((table) => `select from public.${table} limit 0`);
