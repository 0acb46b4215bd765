import { readMember } from '../../functions/logs/history.ts';
import { readStatus } from '../../functions/status/status.ts';
import { listWaiting } from '../../functions/status/waiting.ts';
import { closePool } from '../../lib/database.ts';
import { fixedCredential } from '../../lib/secrets.ts';
import { createWorld, type World } from '../support/world.ts';

// What waits for a person, as runs find it and settle it.
let world: World;
beforeAll(async () => {
  world = await createWorld({ members: 40, modifiedParam: 'modified_since' });
});
beforeEach(() => world.reset(40));
afterAll(closePool);

const incremental = { settings: { DJANGO_MODIFIED_SINCE_PARAM: 'modified_since' } };
const status = () =>
  readStatus(fixedCredential(world.database.url), { intervalMinutes: 60, withinMinutes: 60 });
const attention = async () => (await status()).attention;
const codes = async () => (await attention()).map(({ code }) => code);
const breakRecord = (id: number) => world.django.members.update(id, { name: 7 });
const mend = (id: number) => world.django.members.update(id, { name: `Nafn ${id}` });

describe('a record that cannot be used', () => {
  test('is known since the first run that met it, and until one can use it', async () => {
    await world.run();
    breakRecord(4);
    const first = await world.run();
    const second = await world.run();
    expect(await status()).toMatchObject({
      status: 'attention',
      attention: [
        { code: 'records_set_aside', count: 1, run_id: second.run_id },
        { code: 'unseen_members', count: 1 },
      ],
      election: { may_open: false },
    });
    const [item] = await attention();
    const [run] = await world.database.query<{ finished_at: Date }>(
      'select finished_at from public.sync_log where id = $1',
      [first.run_id],
    );
    expect(item?.since).toBe(run?.finished_at.toISOString());
    mend(4);
    await world.run();
    expect(await status()).toMatchObject({ status: 'ok', attention: [] });
  });

  test('that names nobody is counted with the others of its kind', async () => {
    await world.run();
    const ids = ['Enginn', 'Enginn heldur'].map((name) => world.django.members.addRaw({ name }));
    await world.run();
    for (const id of ids) world.django.members.remove(id);
    expect(await attention()).toMatchObject([{ code: 'records_set_aside', count: 2 }]);
  });

  test('is not forgotten by an incremental run that did not read it, but by one that did', async () => {
    await world.run({}, incremental);
    breakRecord(4);
    expect(await world.run({ mode: 'full' })).toMatchObject({ status: 'partial' });
    // As if the change were long ago.
    world.django.members.update(4, { updated_at: '2020-01-01T00:00:00Z' });
    expect(await world.run({}, incremental)).toMatchObject({
      mode: 'incremental',
      status: 'success',
    });
    expect(await codes()).toContain('records_set_aside');
    mend(4);
    await world.run({}, incremental);
    expect(await codes()).not.toContain('records_set_aside');
  });

  test('is forgotten by a call for its member that can use it', async () => {
    await world.run();
    breakRecord(4);
    await world.run();
    await world.run({ externalIds: ['5'] });
    expect(await codes()).toContain('records_set_aside');
    mend(4);
    await world.run({ externalIds: ['4'] });
    expect(await codes()).toEqual([]);
  });
});

describe('a removal that Django does not confirm', () => {
  const refuseToSay = () =>
    world.django.misbehave({
      kind: 'status',
      status: 500,
      when: ({ path }) => path === '/api/members/4/',
    });

  test('waits since the first run that asked, and until it is confirmed', async () => {
    await world.run();
    world.django.members.remove(4);
    refuseToSay();
    const first = await world.run();
    const second = await world.run();
    expect([first.removals_unconfirmed, second.removals_unconfirmed]).toEqual([1, 1]);
    const [item] = (await attention()).filter(({ code }) => code === 'removals_unconfirmed');
    expect(item).toMatchObject({ count: 1, run_id: second.run_id });
    expect(Date.parse(String(item?.since))).toBeLessThan(Date.parse(second.timestamp));
    world.django.clear();
    await world.run();
    expect(await status()).toMatchObject({ status: 'ok' });
  });

  test('is still unconfirmed while all removals are held, because nobody asked', async () => {
    await world.run();
    world.django.members.remove(4);
    refuseToSay();
    await world.run();
    world.django.members.remove(5);
    const held = await world.run({}, { settings: { SYNC_LIMIT_FLOOR: '1' } });
    expect(held).toMatchObject({ status: 'held', removals_unconfirmed: 0 });
    expect(await codes()).toEqual(['held', 'removals_unconfirmed', 'unseen_members']);
  });
});

describe('more unreadable records than SYNC_MAX_SET_ASIDE allows', () => {
  const setAside = (share: string) => ({
    settings: { SYNC_MAX_SET_ASIDE: share, SYNC_LIMIT_FLOOR: '0' },
  });

  test('make a run no complete one, though it applies what is safe, and an alert', async () => {
    const good = await world.run();
    for (let id = 1; id <= 20; id++) breakRecord(id);
    world.django.members.update(30, { name: 'Nýtt Nafn' });
    const dry = await world.run({ dryRun: true });
    expect(dry).toMatchObject({ status: 'partial', set_aside: { count: 20, limit: 10 } });
    const half = await world.run();
    expect(half).toMatchObject({
      status: 'partial',
      members_updated: 1,
      members_removed: 0,
      set_aside: { count: 20, limit: 10 },
    });
    expect(world.logged).toContainEqual(
      expect.objectContaining({ severity: 'CRITICAL', event: 'sync_set_aside' }),
    );
    const completed = world.logged.filter(({ event }) => event === 'sync_completed');
    expect(completed.map(({ run_id }) => run_id)).toEqual([good.run_id]);
    expect(await status()).toMatchObject({
      status: 'attention',
      last_run: { id: half.run_id, register_mark: null, details: { set_aside: { count: 20 } } },
      last_success: { id: good.run_id },
    });
  });

  test('are a share of the records, and no fewer than the floor', async () => {
    await world.run();
    breakRecord(1);
    breakRecord(2);
    expect(await world.run({}, setAside('5%'))).not.toHaveProperty('set_aside');
    expect(await world.run({}, setAside('4.9%'))).toMatchObject({
      set_aside: { count: 2, limit: 1 },
    });
    expect(await world.run({}, setAside('1'))).toMatchObject({ set_aside: { count: 2, limit: 1 } });
    const floor = { SYNC_MAX_SET_ASIDE: '0', SYNC_LIMIT_FLOOR: '2' };
    expect(await world.run({}, { settings: floor })).not.toHaveProperty('set_aside');
  });

  test('are counted across incremental runs, which read a few each', async () => {
    await world.run({}, incremental);
    const settings = { ...incremental.settings, ...setAside('5%').settings };
    const ids: number[] = [];
    for (const id of [1, 2, 3]) {
      breakRecord(id);
      const run = await world.run({}, { settings });
      expect(run.mode).toBe('incremental');
      if (run.set_aside) ids.push(id);
      world.django.members.update(id, { updated_at: '2020-01-01T00:00:00Z' });
    }
    expect(ids).toEqual([3]);
  });

  test('are no matter of a call for single members', async () => {
    await world.run();
    breakRecord(1);
    const run = await world.run({ externalIds: ['1'] }, setAside('0'));
    expect(run).toMatchObject({ status: 'partial', error_count: 1 });
    expect(run).not.toHaveProperty('set_aside');
  });
});

describe('a first load', () => {
  test('of an empty list is held, until somebody says that it is right', async () => {
    for (const { id } of [...world.django.members.list()]) world.django.members.remove(id);
    const held = await world.run();
    expect(held).toMatchObject({
      status: 'held',
      held: { removals: { count: 0, reason: 'snapshot_empty' } },
    });
    expect(await status()).toMatchObject({
      status: 'never_synced',
      held: { plan: held.plan },
      attention: [{ code: 'held', count: 1 }],
    });
    expect(await world.run({ approvedPlan: held.plan })).toMatchObject({ status: 'success' });
    expect(await status()).toMatchObject({ status: 'ok' });
    // Said once: the next run asks again, under another digest.
    await expect(world.run({ approvedPlan: held.plan })).rejects.toMatchObject({
      code: 'plan_changed',
    });
    const again = await world.run();
    expect(again).toMatchObject({ status: 'held', held: { removals: { count: 0 } } });
    expect(again.plan).not.toBe(held.plan);
    expect(await world.run({ approvedPlan: again.plan })).toMatchObject({ status: 'success' });
  });
});

test('nobody waits for a notification to a receiver that is no longer configured', async () => {
  const gone = 'http://127.0.0.1:9/gone';
  const key = { NOTIFY_SECRET: `whsec_${Buffer.alloc(32, 1).toString('base64')}` };
  await world.run({}, { settings: { NOTIFY_URLS: gone, ...key } });
  expect(await status()).toMatchObject({
    notifications: { pending: 1 },
    election: { may_open: false, reasons: [{ code: 'notifications_pending' }] },
  });
  await world.run();
  expect(await status()).toMatchObject({
    notifications: { pending: 0 },
    election: { may_open: true },
  });
  // It is configured again.
  await world.run({}, { settings: { NOTIFY_URLS: gone, ...key } });
  expect(await status()).toMatchObject({ notifications: { pending: 1 } });
});

test('the members behind a code are listed by Django id, 200 at a time', async () => {
  await world.run();
  // A run in which nothing changes writes no member, and has seen all of them.
  await world.run();
  breakRecord(4);
  await world.run();
  await world.database.query(
    "update public.members set is_active = false where external_id in ('5', '6')",
  );
  const list = (code: 'suspended' | 'records_set_aside' | 'unseen_members', skip?: number) =>
    listWaiting(fixedCredential(world.database.url), code, skip);
  expect(await list('records_set_aside')).toMatchObject({
    members: [{ external_id: '4', error_code: 'invalid_name', records: 1 }],
    next: null,
  });
  expect(await list('unseen_members')).toMatchObject({ members: [{ external_id: '4' }] });
  const suspended = await list('suspended');
  expect(suspended.members.map(({ external_id }) => external_id)).toEqual(['5', '6']);
  expect(suspended.members[0]).toMatchObject({ since: null, run_id: null });
  const run = await world.run();
  expect((await world.run()).status).toBe('partial');
  const noticed = (await list('suspended')).members[0];
  expect(noticed).toMatchObject({ external_id: '5', run_id: run.run_id });
  expect(Date.parse(noticed?.since ?? '')).toBeGreaterThanOrEqual(Date.parse(run.timestamp));
  expect((await status()).attention.map(({ code }) => code)).not.toContain('suspended');
  const { member } = await readMember(fixedCredential(world.database.url), { external_id: '5' });
  expect(member).toMatchObject({ since: noticed?.since, reason: { code: 'suspended' } });
  expect((await list('suspended', 1)).members).toHaveLength(1);
  await world.database.query(`insert into public.members (kennitala, name, is_active)
    select lpad(i::text, 10, '0'), 'x', false from generate_series(1, 200) i`);
  expect(await list('suspended')).toMatchObject({ next: 200 });
  expect(await list('suspended', 200)).toMatchObject({ members: [{}, {}], next: null });
});

describe('what full and incremental runs hold is one sign', () => {
  const strict = {
    settings: { ...incremental.settings, SYNC_LIMIT_FLOOR: '0', SYNC_MAX_ADDITIONS: '2' },
  };
  const join = (...ids: number[]) => {
    for (const id of ids) world.django.members.add({ id });
  };
  const leave = (...ids: number[]) => {
    for (const id of ids) world.django.members.remove(id);
  };
  const held = async () => (await status()).held;
  beforeEach(async () => {
    expect(await world.run({}, incremental)).toMatchObject({ mode: 'full', status: 'success' });
  });

  test('and is settled by an approval of either', async () => {
    join(101, 102, 103);
    const full = await world.run({ mode: 'full' }, strict);
    const part = await world.run({}, strict);
    expect([full, part]).toMatchObject([
      { mode: 'full', status: 'held' },
      { mode: 'incremental', status: 'held', plan: full.plan },
    ]);
    expect(await held()).toMatchObject({ classes: { additions: { count: 3 } }, plan: full.plan });
    expect(await world.run({ approvedPlan: part.plan }, strict)).toMatchObject({
      mode: 'incremental',
      members_added: 3,
    });
    expect(await status()).toMatchObject({
      status: 'ok',
      held: null,
      attention: [],
      election: { may_open: true },
    });
    expect(
      (await readMember(fixedCredential(world.database.url), { external_id: '101' })).member,
    ).toMatchObject({ reason: { code: 'active' } });
  });

  test('an incremental run hides nothing of what the full one holds, and each digest can be approved', async () => {
    join(101, 102, 103);
    leave(5, 6);
    const full = await world.run({ mode: 'full' }, strict);
    await world.run({}, strict);
    const both = { removals: { count: 2 }, additions: { count: 3 } };
    expect(await held()).toMatchObject({ run_id: full.run_id, classes: both, plan: full.plan });
    expect(await attention()).toMatchObject([{ code: 'held', count: 5 }]);

    // A newcomer after the full run belongs to it as well.
    join(104);
    const part = await world.run({}, strict);
    const more = { ...both, additions: { count: 4 } };
    const { plan } = (await held()) ?? {};
    expect(await held()).toMatchObject({ classes: more });
    expect([full.plan, part.plan]).not.toContain(plan);
    expect((await world.dryRun({}, strict)).plan).toBe(plan);

    // The incremental plan is approved: of the full one the removals are left.
    await world.run({ approvedPlan: part.plan }, strict);
    const rest = await held();
    expect(rest).toMatchObject({ run_id: full.run_id });
    expect(rest?.classes).toEqual({ removals: { count: 2, limit: 0, reason: 'limit_exceeded' } });
    expect(await attention()).toMatchObject([{ code: 'held', count: 2 }]);
    expect(await world.run({ approvedPlan: String(rest?.plan) }, strict)).toMatchObject({
      mode: 'full',
      status: 'success',
      members_removed: 2,
    });
    expect(await status()).toMatchObject({ status: 'ok', held: null });
  });

  test('but for what calls for single members have done since', async () => {
    leave(5, 6);
    await world.run({ mode: 'full' }, strict);
    await world.run({ externalIds: ['5'] }, incremental);
    const rest = await held();
    expect(rest?.classes).toMatchObject({ removals: { count: 1 } });
    expect(await world.run({ approvedPlan: String(rest?.plan) }, strict)).toMatchObject({
      members_removed: 1,
    });
    expect(await held()).toBeNull();
  });

  test('a register that was not seen whole stays so, whatever is applied', async () => {
    join(101);
    const end = world.django.misbehave({
      kind: 'rewrite',
      when: ({ path }) => path === '/api/members/',
      body: (page: { count: number }) => ({ ...page, count: page.count + 1 }),
    });
    await world.run({ mode: 'full' }, incremental);
    end();
    await world.run({}, incremental);
    expect(await held()).toMatchObject({
      classes: { removals: { count: 0, reason: 'snapshot_incomplete' } },
      plan: null,
    });
    await world.run({ mode: 'full' }, incremental);
    expect(await held()).toBeNull();
  });
});
