import { generatePeople } from '../../local/mockDjango/people.ts';
import { createSyncBench, type SyncBench } from '../support/sync.ts';

const settings = { DJANGO_MODIFIED_SINCE_PARAM: 'modified_since' };
/** The overlap that makes up for changes that Django had not committed yet. */
const OVERLAP_MS = 5 * 60_000;

let bench: SyncBench;
/** Django's clock, which is not ours. */
let clock: Date;
beforeAll(async () => {
  bench = await createSyncBench({ members: 12, pageSize: 5, maxPageSize: 5 });
});
beforeEach(async () => {
  await bench.reset();
  clock = new Date('2031-05-05T05:00:00Z');
  for (const { id } of [...bench.django.members.list()]) bench.django.members.remove(id);
  for (const person of generatePeople(12)) bench.django.members.add(person);
  bench.django.behaviour.modifiedParam = 'modified_since';
  bench.django.behaviour.now = () => clock;
});

const run = (request = {}) => bench.run(request, { settings });
/** What each list request since the last clear() asked for as changes. */
const askedSince = () =>
  bench.django.requests
    .filter(({ path }) => path === '/api/members/')
    .map(({ query }) => query['modified_since']);
const later = (minutes: number) => new Date(clock.getTime() + minutes * 60_000);
const marks = async () => {
  const rows = await bench.database.query(
    'select mode, register_mark from public.sync_log order by id',
  );
  return rows.map(({ mode, register_mark }) => [mode, register_mark]);
};

test('without a parameter for changes every run is a full one', async () => {
  await bench.run();
  expect(await bench.run()).toMatchObject({ mode: 'full', members_fetched: 12 });
  expect(askedSince()).toEqual(Array(6).fill(undefined));
});

test('incremental is refused where there is no parameter for changes', async () => {
  await expect(bench.run({ mode: 'incremental' })).rejects.toMatchObject({
    code: 'invalid_request',
    message: expect.stringContaining('DJANGO_MODIFIED_SINCE_PARAM'),
  });
  expect(await bench.lastRun()).toMatchObject({ status: 'refused' });
  expect(bench.django.requests).toEqual([]);
});

test('the first run is full, and the next asks for changes since its start by the clock of Django', async () => {
  const mark = clock;
  // Each further page is answered a minute after the one before.
  bench.django.behaviour.onRequest = ({ query: { page } }) => {
    if (page !== undefined) clock = later(1);
  };
  expect(await run()).toMatchObject({ mode: 'full', members_added: 12 });
  expect(clock).not.toEqual(mark);
  expect(await marks()).toEqual([['full', mark]]);

  clock = later(60);
  bench.django.members.update(3, { name: 'Nýtt Nafn' });
  bench.django.clear();
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
  bench.django.clear();
  await run();
  expect(askedSince()).toEqual([new Date(mark.getTime() - OVERLAP_MS).toISOString()]);
});

test('an incremental run stamps only those it saw', async () => {
  const first = await run();
  clock = later(30);
  bench.django.members.update(3, { phone: null });
  const second = await run();
  const rows = await bench.database.query<{ external_id: string; at: Date }>(
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
  bench.django.members.softDelete(4);
  await run();
  clock = later(30);
  bench.django.members.update(4, { is_active: true, deleted_at: null });
  bench.django.members.softDelete(5);
  bench.django.members.add({ id: 55 });
  const result = await run();
  expect(result).toMatchObject({
    mode: 'incremental',
    status: 'success',
    members_fetched: 3,
    members_added: 1,
    members_reactivated: 1,
    members_removed: 1,
  });
  const [gone] = await bench.database.query(
    `select is_active from public.members where external_id = '5'`,
  );
  expect(gone).toEqual({ is_active: false });
});

test('absence from an incremental answer removes nobody; the next full run does', async () => {
  await run();
  clock = later(30);
  bench.django.members.remove(3);
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
  const [one, two] = bench.django.members.list();
  if (!one || !two) throw new Error('the register is too small');
  bench.django.members.update(1, { kennitala: two.kennitala });
  bench.django.members.update(2, { kennitala: one.kennitala });
  expect(await run()).toMatchObject({
    mode: 'incremental',
    members_updated: 2,
    members_removed: 0,
  });
  bench.django.members.update(1, { kennitala: one.kennitala });
  bench.django.members.update(2, { kennitala: two.kennitala });
  expect(await run()).toMatchObject({ mode: 'incremental', members_updated: 2 });
});

test('a full run comes when the last one is old, whatever incremental ones came since', async () => {
  await run();
  await run();
  await bench.database.query(`update public.sync_log
    set sync_timestamp = sync_timestamp - interval '23 hours 50 minutes' where mode = 'full'`);
  expect(await run()).toMatchObject({ mode: 'incremental' });
  await bench.database.query(`update public.sync_log
    set sync_timestamp = sync_timestamp - interval '11 minutes' where mode = 'full'`);
  expect(await run()).toMatchObject({ mode: 'full' });
  expect(await run()).toMatchObject({ mode: 'incremental' });
});

test('a dry run is incremental exactly when a run would be', async () => {
  expect(await bench.dryRun({}, { settings })).toMatchObject({ mode: 'full' });
  await run();
  expect(await bench.dryRun({}, { settings })).toMatchObject({ mode: 'incremental' });
  expect(await bench.dryRun({ mode: 'full' }, { settings })).toMatchObject({ mode: 'full' });
});

test('a register that tells no time leaves no mark, and the next run is full', async () => {
  bench.django.behaviour.now = () => ({ toUTCString: () => 'soon' }) as Date;
  expect(await run()).toMatchObject({ mode: 'full', status: 'success' });
  expect(await marks()).toEqual([['full', null]]);
  bench.django.behaviour.now = () => clock;
  expect(await run()).toMatchObject({ mode: 'full' });
  expect(await run({ mode: 'incremental' })).toMatchObject({ mode: 'incremental' });
});

test('a run that held something back leaves no mark, so that what it was told is told again', async () => {
  await run();
  clock = later(30);
  bench.django.members.update(6, { name: 'Nýtt Nafn' });
  const none = { ...settings, SYNC_MAX_UPDATES: '0', SYNC_LIMIT_FLOOR: '0' };
  expect(await bench.run({}, { settings: none })).toMatchObject({
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
  const end = bench.django.misbehave({ kind: 'status', status: 500 });
  await expect(run()).rejects.toMatchObject({ code: 'django_error' });
  end();
  expect((await marks()).map(([, mark]) => mark)).toEqual([clock, null]);
  expect(await run()).toMatchObject({ mode: 'incremental' });
});
