import pg from 'pg';

import { afterTests } from './cleanUp.ts';
import { runMigrations, type TestDatabase } from './database.ts';

/** Where our tables are on a Citus cluster whose coordinator TEST_CITUS_URL names. */
export type Citus = 'coordinator' | 'local' | 'reference' | 'distributed';

const ours = `drop view if exists public.member_eligibility;
  drop table if exists public.members, public.sync_log, public.member_changes, public.undone_changes,
    public.held_changes, public.notification_outbox, public.open_findings, public.membership_sync_migrations cascade`;

const place: Record<Citus, string[]> = {
  coordinator: [],
  local: [`select citus_add_local_table_to_metadata('public.members')`],
  reference: [`select create_reference_table('public.members')`],
  distributed: [
    'alter table public.members drop constraint members_pkey cascade',
    `select create_distributed_table('public.members', 'kennitala')`,
  ],
};

/**
 * Our tables, empty and placed so, in the database of TEST_CITUS_URL: one that was made for tests, with the
 * extension and its nodes. Throws when it holds members that no test has put there.
 */
export async function createCitusDatabase(placement: Citus): Promise<TestDatabase> {
  const url = process.env['TEST_CITUS_URL'] ?? '';
  const pool = new pg.Pool({ connectionString: url, max: 4 });
  pool.on('error', () => {});
  const query: TestDatabase['query'] = async (sql, params) => (await pool.query(sql, params)).rows;
  let closed: Promise<void> | undefined;
  const close = () => {
    closed ??= pool.end();
    return closed;
  };
  afterTests(close);
  await refuseRealMembers(query);
  for (const statement of ours.split(';')) await query(statement);
  await runMigrations(url);
  for (const statement of place[placement]) await query(statement);
  await query(`comment on table public.members is 'made by tests'`);
  return { url, query, close };
}

async function refuseRealMembers(query: TestDatabase['query']): Promise<void> {
  const [found] = await query<{ made_by: string | null; is_there: boolean }>(
    `select obj_description(to_regclass('public.members')) as made_by, to_regclass('public.members') is not null as is_there`,
  );
  if (!found?.is_there || found.made_by === 'made by tests') return;
  throw new Error('The database of TEST_CITUS_URL has a table members that no test made.');
}
