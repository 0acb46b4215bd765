import pg from 'pg';
import { search } from '../../functions/admin/reads.ts';
import { fixedCredential } from '../../lib/secrets.ts';
import type { MemberRecord } from '../../local/mockDjango/people.ts';
import { type OwnServer, startOwnServer } from '../support/ownServer.ts';
import { until } from '../support/until.ts';
import { createWorld, type World } from '../support/world.ts';

// PostgreSQL keeps a log of its own, which other people read. Here it logs every statement, every value and
// every error as fully as it can, and it must know nobody.
let server: OwnServer;
let world: World;
const people = new Map<string, string[]>();

beforeAll(async () => {
  server = await startOwnServer({
    log_line_prefix: '<%a> ',
    log_statement: 'all',
    log_duration: 'on',
    log_min_duration_statement: '0',
    log_parameter_max_length: '-1',
    log_parameter_max_length_on_error: '-1',
    log_error_verbosity: 'verbose',
    log_min_messages: 'info',
    log_lock_waits: 'on',
    deadlock_timeout: '100ms',
  });
  world = await createWorld({ database: server.database, members: 40, pageSize: 15 });
  await remember();
}, 60_000);

// What nobody else may have: whoever is in the register at some time.
const remember = async () => {
  for (const { id, kennitala, name, email, phone } of world.django.members.list()) {
    const known = people.get(String(id)) ?? [];
    people.set(String(id), [...known, kennitala, name, email, phone].filter(isText));
  }
};
const isText = (value: unknown): value is string => typeof value === 'string' && value.length > 3;

const query = (statement: string) => world.database.query(statement);

/** What the server logged of our own sessions. */
async function entries(): Promise<string[]> {
  const text = await server.log();
  return text.split(/^(?=<)/m).filter((entry) => entry.startsWith('<membership-sync'));
}

afterEach(async () => {
  await remember();
  const log = await entries();
  expect(log.length).toBeGreaterThan(100);
  // The log is as full as it is meant to be.
  expect(log.some((entry) => /parameters: \$1 = /i.test(entry))).toBe(true);
  const found = [...people.values()]
    .flat()
    .flatMap((value) => log.filter((entry) => entry.includes(value)));
  expect(found).toEqual([]);
});

test('first load, every class of change, what is read of it, and an undo', async () => {
  const { members } = world.django;
  expect(await world.sync()).toMatchObject({ body: { members_added: 40 } });
  members.remove(1);
  members.update(2, { name: 'Sigríður Ný', email: 'ny.sigridur@felagi.example' });
  members.update(3, { kennitala: '0101905550' });
  const [a, b] = [4, 5].map((id) => members.list().find((one) => one.id === id) as MemberRecord);
  const [first, second] = [a?.kennitala, b?.kennitala];
  members.update(4, { kennitala: second });
  members.update(5, { kennitala: first });
  members.add({ id: 90, kennitala: '0202905550' });
  members.addRaw({ id: 91, kennitala: '02029X5550', name: 'Jósefína Villa' });
  await remember();
  await world.post('syncDryRun', { details: true });
  const { body } = await world.sync();
  expect(body).toMatchObject({
    members_added: 1,
    members_removed: 1,
    members_kennitala_changed: 3,
  });
  await world.post('syncScheduled', { external_ids: ['2', '7', '90'] });
  await world.get('syncStatus');
  const { kennitala, name } = members.list()[9] as MemberRecord;
  const reader = fixedCredential(server.database.url);
  expect(await world.post('syncLogs', { kennitala })).toMatchObject({
    body: { member: { name, may_vote: true } },
  });
  expect(await search(reader, name.toUpperCase())).toMatchObject([{ name }]);
  await world.post('syncLogs', { external_id: '2', format: 'csv' });
  expect(await world.sync({ undo: body.run_id })).toMatchObject({ body: { members_updated: 4 } });
});

test('what is held, refused by its digest, and approved', async () => {
  for (let id = 20; id < 32; id += 1) world.django.members.remove(id);
  const { body } = await world.sync();
  expect(body).toMatchObject({ status: 'held' });
  expect(await world.sync({ plan: `sha256:${'0'.repeat(64)}` })).toMatchObject({ status: 409 });
  // One more, which the undo had taken back.
  expect(await world.sync({ plan: body.plan })).toMatchObject({ body: { members_removed: 13 } });
});

test('rows that the database refuses, one by one', async () => {
  await query('create unique index one_address on public.members (lower(email))');
  await query(`create function public.others() returns trigger language plpgsql as $$ begin
    if new.name like 'Raise%' then
      raise exception using message = new.name, detail = new.kennitala, hint = new.email;
    end if;
    return new; end $$`);
  await query(`create trigger others before insert or update on public.members
    for each row execute function public.others()`);
  const { members } = world.django;
  members.update(10, { email: members.list().find(({ id }) => id === 11)?.email });
  members.update(12, { name: 'Raise Reiða' });
  members.add({ id: 95, name: 'Raise Reiður', kennitala: '0303905550' });
  await remember();
  const { body } = await world.sync();
  expect(body).toMatchObject({ status: 'partial' });
  const named = body.errors?.map(({ external_id }) => external_id);
  expect(named).toEqual(expect.arrayContaining(['10', '12', '95']));
  await query('drop trigger others on public.members; drop index one_address');
});

test('another service adds the same member in the same moment, and locks rows that change', async () => {
  const { members } = world.django;
  members.add({ id: 96, kennitala: '0404905550' });
  members.update(13, { name: 'Læst Röð' });
  await remember();
  const other = new pg.Client({
    connectionString: server.database.url,
    application_name: 'elections',
  });
  await other.connect();
  await other.query(`begin;
    insert into public.members (kennitala, name, sync_source) values ('0404905550', 'X', 'elections');
    select from public.members where external_id = '13' for update`);
  const run = world.sync();
  // Ours gives up before the server looks for a deadlock, which it would log, and tries again.
  await until(async () => {
    const [waiting] = await query(`select from pg_stat_activity
      where wait_event_type = 'Lock' and application_name = 'membership-sync'`);
    return waiting;
  });
  await other.query('commit');
  await other.end();
  expect(await run).toMatchObject({ status: 200 });
});

test('a guarantee that another service makes at the commit', async () => {
  await query(`create function public.late() returns trigger language plpgsql as $$ begin
    if new.name = 'Of Seint' then raise exception '% %', new.name, new.kennitala; end if;
    return null; end $$`);
  await query(`create constraint trigger late after update on public.members deferrable initially deferred
    for each row execute function public.late()`);
  world.django.members.update(14, { name: 'Of Seint' });
  await remember();
  expect(await world.sync()).toMatchObject({ body: { status: 'partial' } });
});
