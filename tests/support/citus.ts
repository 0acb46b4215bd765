import pg from 'pg';

import { afterTests } from './cleanUp.ts';
import { runMigrations, type TestDatabase } from './database.ts';

/** Where our tables are on a Citus cluster whose coordinator TEST_CITUS_URL names. */
export type Citus = 'coordinator' | 'local' | 'reference' | 'distributed';

// The views go with members.
const ours = [
  'members',
  'sync_log',
  'member_changes',
  'undone_changes',
  'held_changes',
  'notification_outbox',
  'open_findings',
  'rewritten_values',
  'membership_sync_migrations',
].map((table) => `drop table if exists public.${table} cascade`);

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
 * Our tables, empty and placed so, in the database of TEST_CITUS_URL: one that was made for tests, with the extension, the
 * coordinator among its nodes and a worker (docs/CAPACITY.md); its owner may connect to each worker without a prompt.
 * Throws when something of that is missing, and when it holds members that no test has put there.
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
  await refuseOtherDatabase(query);
  await refuseRealMembers(query);
  for (const statement of ours) await query(statement);
  await runMigrations(url);
  for (const statement of place[placement]) await query(statement);
  await query(`comment on table public.members is 'made by tests'`);
  return { url, query, close };
}

async function refuseOtherDatabase(query: TestDatabase['query']): Promise<void> {
  const wrong = (what: string) => new Error(`The database of TEST_CITUS_URL ${what}.`);
  const [extension] = await query(`select from pg_extension where extname = 'citus'`);
  if (!extension) throw wrong('has no extension citus (create extension, also on each worker)');
  const nodes = await query<{ groupid: number; is_here: boolean }>(
    `select groupid, groupid = (select groupid from pg_dist_local_group) as is_here from pg_dist_node
     where isactive and noderole = 'primary'`,
  );
  const here = nodes.find(({ is_here }) => is_here);
  if (!here) throw wrong('does not know its own node: select citus_set_coordinator_host(…)');
  if (here.groupid !== 0) throw wrong('is that of a worker');
  if (nodes.length < 2) throw wrong('has no worker: select citus_add_node(…)');
}

async function refuseRealMembers(query: TestDatabase['query']): Promise<void> {
  const [found] = await query<{ made_by: string | null; is_there: boolean }>(
    `select obj_description(to_regclass('public.members')) as made_by, to_regclass('public.members') is not null as is_there`,
  );
  if (!found?.is_there || found.made_by === 'made by tests') return;
  throw new Error('The database of TEST_CITUS_URL has a table members that no test made.');
}
