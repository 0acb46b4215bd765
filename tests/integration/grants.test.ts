import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { postForm, signedHeaders } from '../support/adminPage.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { request } from '../support/http.ts';
import { startReceiver } from '../support/receiver.ts';
import { onServer } from '../support/server.ts';
import { until } from '../support/until.ts';
import { createWorld, membersOf, type World } from '../support/world.ts';

// The roles of docs/examples/grants.sql can do all that they have to, and nothing that they must not.
const script = readFileSync(join(import.meta.dirname, '../../docs/examples/grants.sql'), 'utf8');
const suffix = randomBytes(4).toString('hex');
const roles = ['membership_sync_reader', 'membership_sync', 'elections_reader'] as const;
const named = (role: string) => `${role}_${suffix}`;
/** The script for this database: roles are of the whole server, where other tests have theirs. */
const grants = script.replace(/\b(membership_sync(_reader)?|elections_reader)\b/g, named);

let database: TestDatabase;
let world: World;
beforeAll(async () => {
  database = await createTestDatabase();
  // As the owner of a database that was made by PostgreSQL 14.
  await database.query('grant create on schema public to public');
  for (const _ of ['once', 'and again']) await database.query(grants);
  for (const role of roles) {
    await database.query(`alter role ${named(role)} password 'of-this-test'`);
  }
  world = await createWorld({ members: 30, pageSize: 10, database });
});
afterAll(async () => {
  for (const role of roles) await onServer(`drop role ${named(role)}`);
});
beforeEach(() => world.reset(30));

function urlOf(role: (typeof roles)[number]): string {
  const url = new URL(database.url);
  url.username = named(role);
  url.password = 'of-this-test';
  return url.href;
}
const runner = () => ({ DATABASE_URL: urlOf('membership_sync') });
const reader = () => ({ DATABASE_URL: urlOf('membership_sync_reader') });

async function as(role: (typeof roles)[number], statement: string): Promise<void> {
  const client = new pg.Client(urlOf(role));
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

test('a run, its confirmation, its approval, its undo and its notifications work as membership_sync', async () => {
  const receiver = await startReceiver();
  const settings = {
    ...runner(),
    NOTIFY_URLS: receiver.url,
    NOTIFY_SECRET: `whsec_${Buffer.alloc(32).toString('base64')}`,
    SYNC_LIMIT_FLOOR: '0',
    SYNC_MAX_REMOVALS: '0',
    AUDIT_RETENTION_DAYS: '1',
  };
  const sync = async (body = {}) => (await world.post('syncScheduled', body, settings)).body;
  expect(await sync()).toMatchObject({ status: 'success', members_added: 30 });
  const { members } = world.django;
  members.remove(1);
  members.update(2, { kennitala: '0101000101' });
  members.addRaw({ id: 90, kennitala: 'x', name: 'Y' });
  const dry = (await world.post('syncDryRun', {}, settings)).body;
  expect(dry.held).toMatchObject({ removals: { count: 1 } });
  const held = await sync();
  expect(held.status).toBe('held');
  const { plan } = (await world.post('syncDryRun', {}, settings)).body;
  expect(await sync({ plan })).toMatchObject({ members_removed: 1 });
  const { run_id } = await world.run();
  await sync({ undo: Number(run_id) - 1 });
  expect(await sync({ plan: `sha256:${'0'.repeat(64)}` })).toMatchObject({
    error: { code: 'plan_changed' },
  });
  expect(await sync({ external_ids: ['5'] })).toMatchObject({ status: 'success' });
  // What is old is forgotten.
  await database.query(`update public.member_changes set changed_at = now() - interval '2 days';
    update public.notification_outbox set created_at = now() - interval '40 days';
    update public.held_changes set held_at = now() - interval '4000 days'`);
  members.update(4, { name: 'Ný' });
  expect((await sync()).error).toBeUndefined();
  const log = (await world.bundle('syncScheduled', settings)).output().join('\n');
  expect(log).not.toMatch(
    /42501|prune_failed|notifications_postponed|run_left_pending|schema_open/,
  );
  expect(receiver.arrivals.length).toBeGreaterThan(0);
});

test('one connection at a time is enough', async () => {
  await database.query(`alter role ${named('membership_sync')} connection limit 1`);
  const receiver = await startReceiver();
  const settings = {
    ...runner(),
    NOTIFY_URLS: receiver.url,
    NOTIFY_SECRET: `whsec_${Buffer.alloc(32).toString('base64')}`,
  };
  for (let run = 1; run <= 10; run++) {
    world.django.members.update(2, { name: `Nafn ${run}` });
    const { body } = await world.post('syncScheduled', {}, settings);
    expect(body).toMatchObject({ status: 'success' });
    await receiver.hasGot(run);
  }
  world.django.misbehave({ kind: 'status', status: 500 });
  expect((await world.post('syncScheduled', {}, settings)).status).toBe(502);
  expect(await world.lastRun()).toMatchObject({ status: 'failed' });
  const log = (await world.bundle('syncScheduled', settings)).output().join('\n');
  expect(log).not.toMatch(/notifications_postponed|run_left_pending/);
  await database.query(`alter role ${named('membership_sync')} connection limit -1`);
});

test('triggers of others may use tables with row level security', async () => {
  await world.run();
  await database.query(`create table public.journal (name text); alter table public.journal enable row level security;
    create policy theirs on public.journal to ${named('membership_sync')} using (true) with check (true);
    grant select, insert on public.journal to ${named('membership_sync')};
    create function public.note() returns trigger language plpgsql as $$ begin
      insert into public.journal select new.name where (select count(*) from public.journal) < 100; return new; end $$;
    create trigger note after insert or update on public.members for each row execute function public.note()`);
  world.django.members.update(2, { name: 'Annað Nafn' });
  world.django.members.remove(3);
  const { body } = await world.post('syncScheduled', {}, { ...runner(), SYNC_STAMP_HOURS: '0' });
  const noted = await database.query(`select from public.journal`);
  await database.query('drop function public.note cascade; drop table public.journal');
  expect(body).toMatchObject({ status: 'success', members_updated: 1, members_removed: 1 });
  // The one who changed, the one who left, and those who were stamped.
  expect(noted.length).toBeGreaterThan(29);
});

test.each([
  ['membership_sync_reader', reader],
  // On an engineer's machine one address is all that is given.
  ['membership_sync', runner],
] as const)('syncStatus and syncLogs work as %s', async (_, role) => {
  await world.run();
  expect((await world.get('syncStatus', role())).body).toMatchObject({ members: { active: 30 } });
  for (const query of ['', '?run_id=1&limit=5', '?external_id=1', '?format=csv']) {
    const { status, text } = await world.get(`syncLogs${query}`, role());
    expect([query, status, text.includes('database_unavailable')]).not.toContain(true);
  }
});

test('membership_sync_reader makes no run', async () => {
  const { body } = await world.post('syncScheduled', {}, reader());
  expect(body.error?.message).toMatch(/lacks a right/);
  // PostgreSQL says which one, to the operator.
  const bundle = await world.bundle('syncScheduled', reader());
  await until(() => bundle.output().some((line) => line.includes('permission denied')));
});

test.each([
  ['membership_sync_reader', reader],
  ['membership_sync', runner],
] as const)("every view of the admin's page works as %s", async (_, role) => {
  const { run_id } = await world.run();
  world.django.members.update(5, { name: 7 });
  await world.run({ mode: 'full' });
  const page = await world.bundle('syncAdmin', {
    ...role(),
    SYNC_URL: 'http://127.0.0.1:1/',
    SYNC_DRY_RUN_URL: 'http://127.0.0.1:1/',
  });
  const headers = await signedHeaders(page.url);
  const queries = ['status', 'member&id=4', 'waiting', 'history', `run&id=${run_id}`];
  for (const query of queries) {
    const { status } = await request(`${page.url}?view=${query}`, { headers });
    expect([query, status]).toEqual([query, 200]);
  }
  const found = await postForm(page.url, 'find', { whom: 'son' }, headers);
  expect(found.text).toContain('Má kjósa');
});

test.each([
  ['membership_sync', 'delete from public.members where id < 0'],
  ['membership_sync', 'truncate public.members'],
  ['membership_sync', 'delete from public.sync_log where id < 0'],
  ['membership_sync', `update public.member_changes set action = 'add' where id < 0`],
  ['membership_sync', 'drop table public.members'],
  ['membership_sync', 'create table public.leak (a int)'],
  ['membership_sync', 'create function public.leak() returns int language sql return 1'],
  ['membership_sync_reader', 'update public.members set is_active = true where id < 0'],
  ['membership_sync_reader', 'insert into public.sync_log default values'],
  ['membership_sync_reader', 'create function public.leak() returns int language sql return 1'],
  ['elections_reader', 'select 1 from public.members'],
  ['elections_reader', 'select 1 from public.member_changes'],
  ['elections_reader', 'select 1 from public.sync_log'],
  ['elections_reader', 'create function public.leak() returns int language sql return 1'],
] as const)('%s may not: %s', async (role, statement) => {
  await expect(as(role, statement)).rejects.toMatchObject({ code: '42501' });
});

test('elections_reader sees who may vote', async () => {
  await world.run();
  await as('elections_reader', 'select kennitala from public.member_eligibility');
  expect(await membersOf(database)).toHaveLength(30);
});

test('every table and view of ours is in the script', async () => {
  const rows = await database.query(
    `select relname as name from pg_class where relnamespace = 'public'::regnamespace
      and relkind in ('r', 'v', 'S') and relname <> 'membership_sync_migrations' and relname !~ '_migrations_id_seq'`,
  );
  for (const { name } of rows) expect(script).toContain(`public.${name}`);
});
