import { generatePeople } from '../../local/mockDjango/people.ts';
import { asksForList, listNameless, range } from '../support/register.ts';
import { createWorld, type World } from '../support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld({ pageSize: 100 });
});
beforeEach(async () => {
  await world.reset(35);
  expect(await world.sync()).toMatchObject({ body: { status: 'success', members_added: 35 } });
});

// As the register had this member in the beginning.
const person = (id: number) => generatePeople(35)[id - 1] as ReturnType<typeof generatePeople>[0];
const query = (statement: string) => world.database.query(statement);
const stateOf = async (id: number) => {
  const [row] = await query(
    `select is_active, removed_at, sync_source from public.members where external_id = '${id}'`,
  );
  return row;
};
const suspend = (id: number) =>
  query(`update public.members set is_active = false where external_id = '${id}'`);

test('a member who was suspended by hand becomes active when an admin releases the member', async () => {
  await suspend(7);
  expect(await world.sync({ external_ids: ['7'] })).toMatchObject({
    body: { status: 'success', members_suspended: 1, members_reactivated: 0 },
  });
  expect(await stateOf(7)).toMatchObject({ is_active: false });

  const look = await world.post('syncDryRun', {
    external_ids: ['7'],
    release: true,
    details: true,
  });
  expect(look.body).toMatchObject({ members_reactivated: 1, changes_total: 1 });
  world.django.clear();
  const { body } = await world.sync({ external_ids: ['7'], release: true });
  expect(body).toMatchObject({ status: 'success', members_reactivated: 1, members_suspended: 0 });
  expect(world.django.requests.filter(asksForList)).toEqual([]);
  expect(world.django.requests.length).toBeGreaterThan(0);
  expect(await stateOf(7)).toEqual({ is_active: true, removed_at: null, sync_source: 'django' });
  expect(await world.changes(Number(body.run_id))).toMatchObject([
    { action: 'reactivate', fields: ['is_active'] },
  ]);
  expect(await world.sync()).toMatchObject({ body: { status: 'success', members_suspended: 0 } });
});

test("a newcomer who meets another service's inactive row is named by every run until released", async () => {
  world.django.members.add({ id: 36, kennitala: '0101016666', name: 'Ný Félagskona' });
  await query(`insert into public.members (kennitala, name, is_active, removed_at, sync_source, external_id)
    values ('0101016666', 'Ný Félagskona', false, now(), 'elections', '900')`);
  for (const _ of ['the first run', 'the next']) {
    const { body } = await world.sync();
    expect(body).toMatchObject({ status: 'partial', members_added: 0, members_reactivated: 0 });
    expect(body.errors).toEqual([
      { code: 'inactive_here', external_id: '36', message: expect.stringContaining('release') },
    ]);
  }
  const { body } = await world.sync({ external_ids: [36], release: true });
  expect(body).toMatchObject({ status: 'success', members_reactivated: 1, errors: [] });
  expect(await stateOf(36)).toEqual({
    is_active: true,
    removed_at: null,
    sync_source: 'django',
  });
  expect(await world.sync()).toMatchObject({ body: { status: 'success', members_updated: 0 } });
});

describe('whose row is another service’s, and who was released,', () => {
  const guest = { id: 36, kennitala: '0101016666', name: 'Ný Félagskona' };
  const rowOfGuest = async () => {
    const [row] = await query(
      `select is_active, removed_at is null as stays, sync_source from public.members where kennitala = '0101016666'`,
    );
    return row;
  };
  const release = async (source = `'events'`) => {
    await query(`insert into public.members (kennitala, name, is_active, sync_source, metadata)
      values ('0101016666', 'Ný Félagskona', false, ${source}, '{"gestur": true}')`);
    world.django.members.add({ ...guest });
    expect(await world.sync()).toMatchObject({ body: { errors: [{ code: 'inactive_here' }] } });
    const { body } = await world.sync({ external_ids: ['36'], release: true });
    expect(body).toMatchObject({ status: 'success', members_reactivated: 1 });
    expect(await rowOfGuest()).toEqual({ is_active: true, stays: true, sync_source: 'django' });
    expect((await world.get('syncStatus')).body).toMatchObject({ members: { active: 36 } });
    // A walk does not reverse what a call for the member did in the last ten minutes.
    await query(`update public.sync_log set finished_at = now() - interval '11 minutes'`);
    return Number(body['run_id']);
  };

  test.each<[string, object]>([
    ['a full run', {}],
    ['a call for the member', { external_ids: ['36'] }],
  ])('loses the vote with the register, by %s, and gets it back', async (_, body) => {
    await release();
    world.django.members.remove(36);
    expect(await world.sync(body)).toMatchObject({
      body: { status: 'success', members_removed: 1 },
    });
    expect(await rowOfGuest()).toMatchObject({ is_active: false });
    world.django.members.add({ ...guest });
    expect(await world.sync({ external_ids: ['36'] })).toMatchObject({
      body: { status: 'success', members_reactivated: 1 },
    });
    expect((await world.get('syncStatus')).body).toMatchObject({ status: 'ok', attention: [] });
  });

  test.each([[`'events'`], ['null']])(
    'is as before when that is undone: source %s',
    async (source) => {
      const undo = await release(source);
      expect((await world.get(`syncLogs?run_id=${undo}`)).body).toMatchObject({
        changes: [{ action: 'reactivate', reason: 'in the list, and an admin releases them' }],
      });
      expect(await world.sync({ undo })).toMatchObject({
        body: { status: 'success', members_removed: 1 },
      });
      expect(await rowOfGuest()).toMatchObject({
        is_active: false,
        sync_source: source === 'null' ? null : 'events',
      });
      expect(await world.sync()).toMatchObject({
        body: { status: 'partial', errors: [{ code: 'inactive_here', external_id: '36' }] },
      });
    },
  );

  test('stays when the service takes the row back', async () => {
    await release();
    await query(`update public.members set sync_source = 'events' where external_id = '36'`);
    world.django.members.remove(36);
    expect(await world.sync()).toMatchObject({ body: { status: 'success', members_removed: 0 } });
    expect(await rowOfGuest()).toMatchObject({ is_active: true, sync_source: 'events' });
  });
});

test('a release is limited like any addition', async () => {
  const ids = Array.from({ length: 11 }, (_, index) => String(index + 1));
  for (const id of ids) await suspend(Number(id));
  const held = await world.sync({ external_ids: ids, release: true });
  expect(held.body).toMatchObject({
    status: 'held',
    members_reactivated: 0,
    held: { additions: { count: 11, limit: 10, reason: 'limit_exceeded' } },
  });
  const plan = held.body.plan;
  expect(await world.sync({ external_ids: ids, release: true, plan })).toMatchObject({
    body: { status: 'success', members_reactivated: 11 },
  });
});

describe('a release that is held', () => {
  const ids = range(1, 11).map(String);
  const hold = async () => {
    for (const id of ids) await suspend(Number(id));
    await world.sync();
    const { body } = await world.sync({ external_ids: ids, release: true });
    expect(body).toMatchObject({ status: 'held', held: { additions: { count: 11 } } });
    return body.plan;
  };
  const status = async () => (await world.get('syncStatus')).body;
  const inStep = { status: 'ok', held: null, attention: [], election: { may_open: true } };
  // The calls that the answer names, as they stand there.
  const callsIn = (words: string) =>
    [...words.matchAll(/\{"external_ids".*?\}/g)].map(([call]) => JSON.parse(call));

  test('waits through full runs, and the call that it names makes it', async () => {
    const plan = await hold();
    for (const _ of ['before a full run', 'after it']) {
      const { held, attention, election } = await status();
      expect([held, attention, election]).toMatchObject([
        { plan, next_step: expect.stringContaining(`"plan":"${plan}"`) },
        [{ code: 'held', count: 11, message: expect.stringContaining('next_step') }],
        { may_open: false },
      ]);
      expect(await world.sync()).toMatchObject({ body: { status: 'success' } });
    }
    const held = (await status())['held'] as { next_step: string };
    const [look, approve] = callsIn(held.next_step);
    expect((await world.post('syncDryRun', look)).body).toMatchObject({ plan, changes_total: 11 });
    expect((await world.sync(approve)).body).toMatchObject({ members_reactivated: 11 });
    await world.sync();
    expect(await status()).toMatchObject(inStep);
  });

  test('ends when an admin lets go of it', async () => {
    await hold();
    const held = (await status())['held'] as { next_step: string };
    const [, , letGo] = callsIn(held.next_step);
    expect(letGo).toEqual({ external_ids: ids, release: false });
    // What the register reports by itself decides nothing.
    await world.sync({ external_ids: ids });
    expect(await status()).toMatchObject({ status: 'attention', held });
    expect((await world.sync(letGo)).body).toMatchObject({ members_reactivated: 0 });
    expect(await status()).toMatchObject(inStep);
  });

  test('ends when its members are released in other calls', async () => {
    await hold();
    for (const some of [ids.slice(0, 5), ids.slice(5, 10)]) {
      expect((await world.sync({ external_ids: some, release: true })).body).toMatchObject({
        status: 'success',
        members_reactivated: 5,
      });
      expect(await status()).toMatchObject({ status: 'attention' });
    }
    const last = { external_ids: ids.slice(10), release: true };
    const { plan } = (await world.sync(last)).body;
    expect(await status()).toMatchObject({ held: { plan, classes: { additions: { count: 1 } } } });
    expect((await world.sync({ ...last, plan })).body).toMatchObject({ members_reactivated: 1 });
    expect(await status()).toMatchObject(inStep);
  });

  test('is not settled by whoever may only report members', async () => {
    await hold();
    const key = 'w'.repeat(48);
    const reply = await world.sync(
      { external_ids: ids, release: false },
      { WEBHOOK_KEY: key },
      { key },
    );
    expect(reply.status).toBe(403);
    expect(await status()).toMatchObject({ status: 'attention' });
  });
});

test('nobody is released whom the register does not have', async () => {
  await suspend(7);
  world.django.members.softDelete(7);
  const { body } = await world.sync({ external_ids: ['7'], release: true });
  expect(body).toMatchObject({ members_reactivated: 0 });
  expect(await stateOf(7)).toMatchObject({ is_active: false });
});

describe('whoever fills removed_at as well suspends the member all the same:', () => {
  const suspendWithTime = (id: number, at = 'now()') =>
    query(
      `update public.members set is_active = false, removed_at = ${at} where external_id = '${id}'`,
    );
  const forgetChanges = () => query('delete from public.member_changes');
  const listed = async () => {
    const { body } = await world.get('syncStatus?list=suspended');
    const { members } = body['list'] as { members: { external_id: string }[] };
    return members.map(({ external_id }) => external_id);
  };

  test.each([['now()'], ["'2020-01-01'"]])(
    'at %s, and nobody but an admin lifts that',
    async (at) => {
      await suspendWithTime(7, at);
      for (const body of [{}, { external_ids: ['7'] }, {}]) {
        expect(await world.sync(body)).toMatchObject({
          body: { status: 'success', members_suspended: 1, members_reactivated: 0 },
        });
      }
      expect(await stateOf(7)).toMatchObject({ is_active: false });
      expect((await world.get('syncStatus')).body).toMatchObject({
        status: 'ok',
        members: { active: 34, suspended: 1, left: 0 },
        election: { may_open: true },
      });
      expect(await listed()).toEqual(['7']);
      expect((await world.get('syncLogs?external_id=7')).body['member']).toMatchObject({
        may_vote: false,
        reason: { code: 'suspended' },
      });
      const { body } = await world.sync({ external_ids: ['7'], release: true });
      expect(body).toMatchObject({ status: 'success', members_reactivated: 1 });
      expect(await world.sync()).toMatchObject({
        body: { status: 'success', members_suspended: 0 },
      });
    },
  );

  test('also when the audit trail has nothing of the member any more', async () => {
    await suspendWithTime(7);
    await world.sync();
    await forgetChanges();
    expect(await world.sync()).toMatchObject({ body: { members_reactivated: 0 } });
    expect(await stateOf(7)).toMatchObject({ is_active: false });
  });

  test('who was back and is suspended again stays so', async () => {
    world.django.members.remove(7);
    expect(await world.sync()).toMatchObject({ body: { members_removed: 1 } });
    world.django.members.add({ ...person(7) });
    expect(await world.sync()).toMatchObject({ body: { members_reactivated: 1 } });
    await suspendWithTime(7);
    expect(await world.sync()).toMatchObject({ body: { members_reactivated: 0 } });
  });

  test.each<[string, () => Promise<unknown>]>([
    ['by the audit trail', async () => {}],
    ['although the audit trail was emptied', forgetChanges],
    [
      'although the audit trail begins after that, and is of somebody else',
      () => query(`update public.member_changes set after = '{}', action = 'update'`),
    ],
    [
      'although another service has touched removed_at',
      () => query(`update public.members set removed_at = '2020-01-01' where external_id = '7'`),
    ],
    [
      'although the table was restored from before the return',
      async () => {
        const before = await stateOf(7);
        world.django.members.add({ ...person(7) });
        expect(await world.sync()).toMatchObject({ body: { members_reactivated: 1 } });
        await world.database.query(
          `update public.members set is_active = false, removed_at = $1 where external_id = '7'`,
          [before?.['removed_at']],
        );
      },
    ],
  ])('a leaver who comes back is active again, %s', async (_, meanwhile) => {
    world.django.members.remove(7);
    expect(await world.sync()).toMatchObject({ body: { members_removed: 1 } });
    await meanwhile();
    if (!world.django.members.get(7)) world.django.members.add({ ...person(7) });
    expect(await world.sync()).toMatchObject({
      body: { status: 'success', members_reactivated: 1, members_suspended: 0 },
    });
    expect(await stateOf(7)).toMatchObject({ is_active: true, removed_at: null });
  });
});

describe('a member who was suspended by hand', () => {
  const renumber = (...ids: number[]) => {
    for (const id of ids) {
      const record = world.django.members.get(id);
      world.django.members.remove(id);
      world.django.members.add({ ...record, id: 900 + id });
    }
  };
  const attention = async () => (await world.get('syncStatus')).body['attention'];

  test('stays so, and waits for nobody, when the register renumbers its members', async () => {
    await suspend(7);
    expect(await world.sync()).toMatchObject({ body: { status: 'success' } });
    renumber(...range(1, 35));
    const { body } = await world.sync();
    expect(body).toMatchObject({ status: 'held', held: { updates: { count: 35 } }, errors: [] });
    expect(await world.sync({ plan: body.plan })).toMatchObject({
      body: { status: 'success', members_updated: 35, members_suspended: 1 },
    });
    expect(await stateOf(907)).toEqual({
      is_active: false,
      removed_at: null,
      sync_source: 'django',
    });
    expect(await world.sync()).toMatchObject({ body: { status: 'success', members_suspended: 1 } });
    expect(await attention()).toEqual([]);
    expect((await world.get('syncStatus?list=suspended')).body).toMatchObject({
      list: { members: [{ external_id: '907' }] },
    });
  });

  test('and is entered anew alone, or by another name, is named as a newcomer by every run', async () => {
    for (const id of [7, 8]) await suspend(id);
    await world.sync();
    renumber(7);
    for (const _ of ['the first run', 'the next']) {
      expect((await world.sync()).body.errors).toMatchObject([
        { code: 'inactive_here', external_id: '907' },
      ]);
    }
    // When others are renumbered later, it stays what an admin has seen it to be.
    renumber(8, 9, 10);
    world.django.members.update(908, { name: 'Allt Annað Nafn' });
    for (const _ of ['the first run', 'the next']) {
      expect((await world.sync()).body.errors).toMatchObject([
        { code: 'inactive_here', external_id: '907' },
        { code: 'inactive_here', external_id: '908' },
      ]);
    }
    expect(await stateOf(909)).toMatchObject({ is_active: true });
  });

  test('and whose old id somebody else has is named as a newcomer', async () => {
    await suspend(7);
    await world.sync();
    renumber(6, 7);
    world.django.members.add({ id: 7, kennitala: '0101016666', name: 'Ný Félagskona' });
    expect((await world.sync()).body.errors).toMatchObject([
      { code: 'inactive_here', external_id: '907' },
    ]);
  });

  test('and whose old record may be one that cannot be read is named as a newcomer', async () => {
    await suspend(7);
    await world.sync();
    renumber(6, 7);
    listNameless(world, 'Enginn');
    const { body } = await world.sync();
    expect(body.errors?.map(({ code }) => code)).toContain('inactive_here');
  });
});
