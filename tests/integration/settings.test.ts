import { createTestDatabase, type Row, type TestDatabase } from '../support/database.ts';
import { onServer } from '../support/server.ts';
import { createWorld, membersOf, type World } from '../support/world.ts';

// ALTER ROLE and ALTER DATABASE may set what they like: a run, and what is read of it, is the same.
const ROLE = 'with_settings';
let database: TestDatabase;
let world: World;
beforeAll(async () => {
  database = await createTestDatabase();
  await database.query(`create role ${ROLE} login password 'of-a-test'`);
  await database.query(`grant all on all tables in schema public to ${ROLE}`);
  await database.query(`grant all on all sequences in schema public to ${ROLE}`);
  const url = new URL(database.url);
  url.username = ROLE;
  url.password = 'of-a-test';
  world = await createWorld({
    members: 30,
    pageSize: 10,
    database,
    settings: { DATABASE_URL: url.href, SYNC_CONFIRM_REMOVALS: 'never' },
  });
});
afterAll(async () => {
  await onServer(`drop role ${ROLE}`);
});

/** Every kind of change, an undo, and what is read afterwards, without what differs from run to run. */
async function story(): Promise<Row> {
  await world.reset(30);
  await database.query(`select setval('public.sync_log_id_seq', 1, false)`);
  await endSessions();
  const { members } = world.django;
  const steps: unknown[] = [];
  const step = async (name: string, body?: unknown) =>
    steps.push((await world.post(name, body)).body);
  await step('syncScheduled');
  members.remove(1);
  members.update(2, { kennitala: '0101000101', email: null });
  members.update(3, { name: 'Ný' });
  members.addRaw({ id: 90, kennitala: 'x', name: 'Y' });
  await step('syncDryRun');
  await step('syncScheduled');
  members.add({ id: 1 });
  await step('syncScheduled');
  await step('syncScheduled', { undo: 2 });
  const status = await world.get('syncStatus');
  const logs = await world.get('syncLogs');
  const text = JSON.stringify({
    steps,
    members: await membersOf(database),
    changes: (await world.changes()).map((one) => JSON.stringify(one)).sort(),
    status: status.body,
    logs: logs.body,
  });
  return JSON.parse(
    text
      .replace(/\d{4}-\d\d-\d\d[T ][\d:.]+(Z|\+00:00)?/g, 'T')
      .replace(/"(duration_ms|phases_ms|fetch|plan|confirm|apply)":(\d+|\{[^}]*\})/g, '"$1":0'),
  );
}

const settings = {
  timezone: 'Asia/Kolkata',
  timezone_abbreviations: 'India',
  datestyle: 'German, DMY',
  intervalstyle: 'iso_8601',
  bytea_output: 'escape',
  extra_float_digits: '-15',
  array_nulls: 'off',
  transform_null_equals: 'on',
  quote_all_identifiers: 'on',
  backslash_quote: 'off',
  search_path: 'pg_temp',
  default_transaction_isolation: 'serializable',
  default_transaction_deferrable: 'on',
  exit_on_error: 'on',
  client_min_messages: 'debug5',
  statement_timeout: '800ms',
  lock_timeout: '1ms',
  idle_session_timeout: '900ms',
  idle_in_transaction_session_timeout: '800ms',
  synchronous_commit: 'off',
  work_mem: '64kB',
  temp_buffers: '800kB',
  jit_above_cost: '0',
  enable_hashjoin: 'off',
  enable_seqscan: 'off',
  join_collapse_limit: '1',
  plan_cache_mode: 'force_generic_plan',
  application_name: 'something else',
  log_parameter_max_length_on_error: '-1',
};

test('a run, an undo and what is read of them do not depend on them', async () => {
  const usual = await story();
  for (const [name, value] of Object.entries(settings)) {
    await database.query(`alter role ${ROLE} set ${name} = ${quoted(name, value)}`);
  }
  expect(await story()).toEqual(usual);
  await database.query(`alter role ${ROLE} reset all`);
});

test('a release that can refuse views reads ours, whatever the role is set to', async () => {
  const known = await database.query(
    `select from pg_settings where name = 'restrict_nonsystem_relation_kind'`,
  );
  await world.reset(5);
  if (known.length > 0) {
    await database.query(`alter role ${ROLE} set restrict_nonsystem_relation_kind = 'view'`);
  }
  expect((await world.post('syncScheduled')).body).toMatchObject({ members_added: 5 });
  expect((await world.get('syncStatus')).status).toBe(200);
  expect((await world.get('syncLogs')).status).toBe(200);
  await database.query(`alter role ${ROLE} reset all`);
});

// A list is no list when it is quoted as one.
const quoted = (name: string, value: string) => (name === 'search_path' ? value : `'${value}'`);

test('standard_conforming_strings is made sure of as well, where a server still lets it be off', async () => {
  await world.reset(5);
  await database.query(`alter role ${ROLE} set standard_conforming_strings = off`);
  expect((await world.post('syncDryRun')).body).toMatchObject({ members_added: 5 });
  await database.query(`alter role ${ROLE} reset all`);
});

test('row level security that hides members is refused by what reads them, in words', async () => {
  await world.reset(5);
  expect((await world.post('syncScheduled')).body).toMatchObject({ members_added: 5 });
  await database.query('alter table public.members enable row level security');
  await database.query(
    `create policy visible on public.members using (id % 2 = 0) with check (true)`,
  );
  await endSessions();
  for (const { body, status } of [
    await world.post('syncScheduled'),
    await world.post('syncDryRun'),
    await world.post('syncLogs', { external_id: '1' }),
  ]) {
    expect([status, body.error?.code]).toEqual([503, 'database_unavailable']);
    expect(body.error?.message).toMatch(/^Row level security could hide rows.*BYPASSRLS/);
  }
  // It reads a view of the tables' owner, from whom nothing is hidden.
  expect(await world.get('syncStatus')).toMatchObject({
    status: 200,
    body: { status: 'failing', members: { active: 5 } },
  });
  const bundle = await world.bundle('syncDryRun');
  expect(bundle.output().join('\n')).toMatch(/row-level security policy for table \\"members\\"/);
  await database.query('drop policy visible on public.members');
  await database.query('alter table public.members disable row level security');
});

/** As after a restart, what is set for a role counts for every session. */
const endSessions = () =>
  database.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where usename = '${ROLE}'`,
  );
