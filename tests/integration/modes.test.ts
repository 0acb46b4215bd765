import { generatePeople } from '../../local/mockDjango/people.ts';
import { createWorld, type World } from '../support/world.ts';

const settings = { DJANGO_MODIFIED_SINCE_PARAM: 'modified_since' };
/** The overlap that makes up for changes that Django had not committed yet. */
const OVERLAP_MS = 15 * 60_000;

let world: World;
/** Django's clock, which is not ours. */
let clock: Date;
beforeAll(async () => {
  world = await createWorld({ members: 12, pageSize: 5, maxPageSize: 5 });
});
beforeEach(async () => {
  await world.reset();
  // In the past, since a mark in the future of the database counts for nothing; and in whole seconds, as a Date header is.
  clock = new Date(Math.floor(Date.now() / 86_400_000) * 86_400_000);
  for (const { id } of [...world.django.members.list()]) world.django.members.remove(id);
  for (const person of generatePeople(12)) world.django.members.add(person);
  world.django.behaviour.modifiedParam = 'modified_since';
  world.django.behaviour.now = () => clock;
});

const run = (request = {}) => world.run(request, { settings });
/** What each list request since the last clear() asked for as changes. */
const askedSince = () =>
  world.django.requests
    .filter(({ path }) => path === '/api/members/')
    .map(({ query }) => query['modified_since']);
const later = (minutes: number) => new Date(clock.getTime() + minutes * 60_000);
const marks = async () => {
  const rows = await world.database.query(
    'select mode, register_mark from public.sync_log order by id',
  );
  return rows.map(({ mode, register_mark }) => [mode, register_mark]);
};

test('without a parameter for changes every run is a full one', async () => {
  await world.run();
  expect(await world.run()).toMatchObject({ mode: 'full', members_fetched: 12 });
  expect(askedSince()).toEqual(Array(6).fill(undefined));
});

test('incremental is refused where there is no parameter for changes', async () => {
  await expect(world.run({ mode: 'incremental' })).rejects.toMatchObject({
    code: 'invalid_request',
    message: expect.stringContaining('DJANGO_MODIFIED_SINCE_PARAM'),
  });
  expect(await world.lastRun()).toMatchObject({ status: 'refused' });
  expect(world.django.requests).toEqual([]);
});

test('the first run is full, and the next asks for changes since its start by the clock of Django', async () => {
  const mark = clock;
  // Each further page is answered a minute after the one before.
  world.django.behaviour.onRequest = ({ query: { page } }) => {
    if (page !== undefined) clock = later(1);
  };
  expect(await run()).toMatchObject({ mode: 'full', members_added: 12 });
  expect(clock).not.toEqual(mark);
  expect(await marks()).toEqual([['full', mark]]);

  clock = later(60);
  world.django.members.update(3, { name: 'Nýtt Nafn' });
  world.django.clear();
  expect(await run()).toMatchObject({
    mode: 'incremental',
    members_fetched: 1,
    members_updated: 1,
    members_removed: 0,
    members_verified: 1,
  });
  expect(askedSince()).toEqual([new Date(mark.getTime() - OVERLAP_MS).toISOString()]);
});

test('each incremental run goes on from the one before', async () => {
  await run();
  clock = later(30);
  await run();
  const mark = clock;
  expect((await marks()).at(-1)).toEqual(['incremental', mark]);
  clock = later(30);
  world.django.clear();
  await run();
  expect(askedSince()).toEqual([new Date(mark.getTime() - OVERLAP_MS).toISOString()]);
});

test('an incremental run stamps only those it saw', async () => {
  const first = await run();
  clock = later(30);
  world.django.members.update(3, { phone: null });
  const second = await run();
  const rows = await world.database.query<{ external_id: string; at: Date }>(
    `select external_id, last_verified_at at time zone 'UTC' as at from public.members order by id`,
  );
  for (const { external_id, at } of rows) {
    expect([external_id, at.toISOString()]).toEqual([
      external_id,
      external_id === '3' ? second.timestamp : first.timestamp,
    ]);
  }
});

test('an incremental run adds, brings back and removes whom it is told of, and nobody else', async () => {
  await run();
  world.django.members.softDelete(4);
  await run();
  clock = later(30);
  world.django.members.update(4, { is_active: true, deleted_at: null });
  world.django.members.softDelete(5);
  world.django.members.add({ id: 55 });
  const result = await run();
  expect(result).toMatchObject({
    mode: 'incremental',
    status: 'success',
    members_fetched: 3,
    members_added: 1,
    members_reactivated: 1,
    members_removed: 1,
  });
  const [gone] = await world.database.query(
    `select is_active from public.members where external_id = '5'`,
  );
  expect(gone).toEqual({ is_active: false });
});

test('absence from an incremental answer removes nobody; the next full run does', async () => {
  await run();
  clock = later(30);
  world.django.members.remove(3);
  expect(await run()).toMatchObject({
    mode: 'incremental',
    members_fetched: 0,
    members_removed: 0,
  });
  expect(await run({ mode: 'full' })).toMatchObject({ mode: 'full', members_removed: 1 });
});

test('two members who swap kennitölur do so in an incremental run too', async () => {
  await run();
  clock = later(30);
  const [one, two] = world.django.members.list();
  if (!one || !two) throw new Error('the register is too small');
  world.django.members.update(1, { kennitala: two.kennitala });
  world.django.members.update(2, { kennitala: one.kennitala });
  expect(await run()).toMatchObject({
    mode: 'incremental',
    members_updated: 2,
    members_removed: 0,
  });
  world.django.members.update(1, { kennitala: one.kennitala });
  world.django.members.update(2, { kennitala: two.kennitala });
  expect(await run()).toMatchObject({ mode: 'incremental', members_updated: 2 });
});

test('a full run comes when the last one is old, whatever incremental ones came since', async () => {
  await run();
  await run();
  await world.database.query(`update public.sync_log
    set sync_timestamp = sync_timestamp - interval '23 hours 50 minutes' where mode = 'full'`);
  expect(await run()).toMatchObject({ mode: 'incremental' });
  await world.database.query(`update public.sync_log
    set sync_timestamp = sync_timestamp - interval '11 minutes' where mode = 'full'`);
  expect(await run()).toMatchObject({ mode: 'full' });
  expect(await run()).toMatchObject({ mode: 'incremental' });
});

test('a dry run is incremental exactly when a run would be', async () => {
  expect(await world.dryRun({}, { settings })).toMatchObject({ mode: 'full' });
  await run();
  expect(await world.dryRun({}, { settings })).toMatchObject({ mode: 'incremental' });
  expect(await world.dryRun({ mode: 'full' }, { settings })).toMatchObject({ mode: 'full' });
});

test('what a full run holds is looked at and approved as it is, without naming the mode', async () => {
  const strict = { settings: { ...settings, SYNC_LIMIT_FLOOR: '0' } };
  await world.run({}, strict);
  for (const id of [1, 2, 3]) world.django.members.remove(id);
  const held = await world.run({ mode: 'full' }, strict);
  expect(held).toMatchObject({ status: 'held', held: { removals: { count: 3 } } });
  const between = await world.run({}, strict);
  expect(between).toMatchObject({ mode: 'incremental', status: 'success' });
  expect(await world.dryRun({}, strict)).toMatchObject({ mode: 'full', plan: held.plan });
  const approved = await world.run({ approvedPlan: held.plan }, strict);
  expect(approved).toMatchObject({ mode: 'full', members_removed: 3 });
  expect(await world.dryRun({}, strict)).toMatchObject({ mode: 'incremental' });
});

test('a register that tells no time leaves no mark, and the next run is full', async () => {
  world.django.behaviour.now = () => ({ toUTCString: () => 'soon' }) as Date;
  expect(await run()).toMatchObject({ mode: 'full', status: 'success' });
  expect(await marks()).toEqual([['full', null]]);
  world.django.behaviour.now = () => clock;
  expect(await run()).toMatchObject({ mode: 'full' });
  expect(await run({ mode: 'incremental' })).toMatchObject({ mode: 'incremental' });
});

test('a run that held something back leaves no mark, so that what it was told is told again', async () => {
  await run();
  clock = later(30);
  world.django.members.update(6, { name: 'Nýtt Nafn' });
  const none = { ...settings, SYNC_MAX_UPDATES: '0', SYNC_LIMIT_FLOOR: '0' };
  expect(await world.run({}, { settings: none })).toMatchObject({
    mode: 'incremental',
    status: 'held',
    held: { updates: { count: 1 } },
  });
  expect((await marks()).at(-1)).toEqual(['incremental', null]);
  clock = later(30);
  expect(await run()).toMatchObject({ mode: 'incremental', members_updated: 1 });
});

test('a run that failed leaves no mark', async () => {
  await run();
  const end = world.django.misbehave({ kind: 'status', status: 500 });
  await expect(run()).rejects.toMatchObject({ code: 'django_error' });
  end();
  expect((await marks()).map(([, mark]) => mark)).toEqual([clock, null]);
  expect(await run()).toMatchObject({ mode: 'incremental' });
});

test('a clock of Django that is ahead leaves no mark in the future', async () => {
  clock = new Date(Date.now() + 7 * 86_400_000);
  await run();
  const [{ mark } = {}] = await world.database.query<{ mark: boolean }>(
    "select register_mark between now() - interval '1 minute' and now() as mark from public.sync_log",
  );
  expect(mark).toBe(true);
});

test.each([
  ['its mark', "register_mark = now() + interval '1 hour'"],
  ['its time', "sync_timestamp = (now() at time zone 'UTC') + interval '1 hour'"],
  ['its end', "finished_at = now() + interval '1 hour'"],
])('a full run is not recent when %s is in the future of the database', async (_, change) => {
  await run();
  expect(await run()).toMatchObject({ mode: 'incremental' });
  await world.database.query(`update public.sync_log set ${change}`);
  expect(await run()).toMatchObject({ mode: 'full' });
});
