import type { SyncResult } from '../../lib/sync/types.ts';
import { createWorld, membersOf, type World } from '../support/world.ts';

// What changes votes is bound to what an admin looked at. Eleven of 35 are more than the ten that no limit stops.
let world: World;
beforeAll(async () => {
  world = await createWorld({ pageSize: 100 });
});
beforeEach(async () => {
  await world.reset(35);
  expect(await sync()).toMatchObject({ status: 'success', members_added: 35 });
});

type Result = SyncResult & {
  error?: { code: string; plan?: string; changed?: Record<string, unknown> | null };
};
const call = async (name: string, body: object) =>
  (await world.post(name, body)).body as unknown as Result;
const sync = (body: object = {}) => call('syncScheduled', body);
const dryRun = (body: object = {}) => call('syncDryRun', body);
const register = () => world.django.members;
const ids = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const leave = (from: number, to: number) => {
  for (const id of ids(from, to)) register().remove(id);
};
const join = (from: number, to: number) => {
  for (const id of ids(from, to)) register().add({ id });
};
const renumber = (from: number, to: number) => {
  for (const id of ids(from, to)) register().update(id, { kennitala: `99000000${10 + id}` });
};
const active = async () =>
  (
    await world.database.query<{ id: number }>(
      'select external_id::int as id from public.members where is_active order by 1',
    )
  ).map(({ id }) => id);

test("a held run's answer and the status after it carry a digest that can be approved as it is", async () => {
  leave(1, 11);
  join(36, 38);
  const held = await sync();
  expect(held).toMatchObject({ status: 'held', members_added: 3, members_removed: 0 });
  expect(await sync({ plan: held.plan })).toMatchObject({
    status: 'success',
    members_removed: 11,
    plan: held.plan,
  });
});

test('a change that nobody has to approve makes no approval outdated', async () => {
  leave(1, 11);
  const { plan } = await sync();
  join(36, 36);
  expect(await sync({ plan })).toMatchObject({
    status: 'success',
    members_removed: 11,
    members_added: 1,
  });
});

test('an approval may be of some classes, and the others go on waiting under a digest of their own', async () => {
  leave(1, 11);
  join(36, 50);
  const { plan } = await sync();
  const part = await sync({ plan, classes: ['additions'] });
  expect(part).toMatchObject({
    status: 'held',
    members_added: 15,
    members_removed: 0,
    held: { removals: { count: 11 } },
  });
  expect(Object.keys(part.held ?? {})).toEqual(['removals']);
  expect(await active()).toEqual(ids(1, 50));
  expect(await sync({ plan: part.plan })).toMatchObject({ status: 'success', members_removed: 11 });
});

test('an approval of classes that have nothing to do spends no digest', async () => {
  leave(1, 11);
  const { plan } = await sync();
  const nothing = await sync({ plan, classes: ['additions'] });
  expect(nothing).toMatchObject({ status: 'held', plan, members_removed: 0 });
  expect(await sync({ plan })).toMatchObject({ status: 'success', members_removed: 11 });
});

test('classes without a plan, an unknown class and an empty list are refused', async () => {
  for (const body of [
    { classes: ['additions'] },
    { plan: `sha256:${'0'.repeat(64)}`, classes: ['votes'] },
    { plan: `sha256:${'0'.repeat(64)}`, classes: [] },
    { release: true },
    { undo: 1, mode: 'full' },
  ]) {
    expect((await sync(body)).error?.code).toBe('invalid_request');
  }
});

test('a refused approval says by class what is new and what is gone since the plan was held', async () => {
  leave(1, 12);
  join(36, 50);
  const { plan } = await sync();
  const back = await world.database.query<{ kennitala: string; name: string }>(
    `select kennitala, name from public.members where external_id = '12'`,
  );
  register().add({ id: 12, ...back[0] });
  leave(20, 22);
  const refused = await sync({ plan });
  expect(refused.error).toMatchObject({ code: 'plan_changed' });
  expect(refused.error?.changed).toMatchObject({ removals: { new: 3, gone: 1 } });
  expect(refused.error?.changed).not.toHaveProperty('additions');
  expect(await active()).toEqual(ids(1, 35));
  expect(await sync({ plan: refused.error?.plan })).toMatchObject({ members_removed: 14 });

  const unknown = await sync({ plan: `sha256:${'0'.repeat(64)}` });
  expect(unknown.error).toMatchObject({ code: 'plan_changed', changed: null });
});

test('a digest is spent once, whatever happened since', async () => {
  leave(1, 11);
  const { plan } = await sync();
  const approved = await sync({ plan });
  expect(approved).toMatchObject({ status: 'success', members_removed: 11 });
  const look = await dryRun({ undo: approved.run_id });
  expect(await sync({ undo: approved.run_id, plan: look.plan })).toMatchObject({
    status: 'success',
    members_reactivated: 11,
  });
  // The client of the approval timed out, and sends it again.
  expect((await sync({ plan })).error?.code).toBe('plan_changed');
  expect(await active()).toEqual(ids(1, 35));
  // An admin who looks again can approve the same changes again.
  const again = await dryRun();
  expect(again.plan).not.toBe(plan);
  expect(await sync({ plan: again.plan })).toMatchObject({ members_removed: 11 });
  // And the undo is spent as well.
  expect((await sync({ undo: approved.run_id, plan: look.plan })).error?.code).toBe('plan_changed');
});

test('another kennitala is a class of its own, with the limit of removals', async () => {
  renumber(1, 11);
  register().update(20, { name: 'Annað Nafn' });
  const held = await sync();
  expect(held).toMatchObject({
    status: 'held',
    members_updated: 1,
    members_kennitala_changed: 0,
    held: { kennitala_changes: { count: 11, limit: 10, reason: 'limit_exceeded' } },
  });
  expect(await sync({ plan: held.plan, classes: ['kennitala_changes'] })).toMatchObject({
    status: 'success',
    members_updated: 11,
    members_kennitala_changed: 11,
  });
  expect(await world.lastRun()).toMatchObject({ members_kennitala_changed: 11 });
});

test('changes of kennitala drip no further than the limit either', async () => {
  renumber(1, 10);
  expect(await sync()).toMatchObject({ status: 'success', members_kennitala_changed: 10 });
  renumber(11, 11);
  expect((await sync()).held).toEqual({
    kennitala_changes: { count: 1, limit: 10, reason: 'window_limit_exceeded' },
  });
});

describe('a dry run', () => {
  test('shows all changes in pages, each once', async () => {
    leave(1, 9);
    join(36, 45);
    register().update(20, { name: 'Annað Nafn' });
    const seen: (string | null)[] = [];
    let after: string | undefined;
    do {
      const page = await dryRun({ limit: 6, ...(after === undefined ? {} : { after }) });
      expect(page.changes_total).toBe(20);
      seen.push(...(page.changes ?? []).map(({ external_id }) => external_id));
      after = page.next ?? undefined;
    } while (after !== undefined);
    expect(seen).toHaveLength(20);
    expect(new Set(seen).size).toBe(20);
  });

  test('begins a list again when the plan changes between two pages', async () => {
    leave(1, 15);
    const first = await dryRun({ limit: 6 });
    register().remove(30);
    const second = await dryRun({ limit: 6, after: first.next });
    expect(second.error).toMatchObject({ code: 'plan_changed', plan: expect.any(String) });
    const again = await dryRun({ limit: 100 });
    expect([again.plan, again.changes_total]).toEqual([second.error?.plan, 16]);
    expect(again.plan).not.toBe(first.plan);
  });

  test.each(['x', '!', Buffer.from('[9,"1",""]').toString('base64url')])(
    'refuses %s as the place to go on from',
    async (after) => {
      expect((await dryRun({ after })).error?.code).toBe('invalid_request');
    },
  );

  test('says what the register says of a member who is none any more', async () => {
    register().softDelete(1);
    register().update(2, { is_active: false });
    world.django.misbehave({
      kind: 'rewrite',
      when: ({ path }) => path === '/api/members/',
      body: (page: { count: number; results: { id: number }[] }) => ({
        ...page,
        count: page.count - 1,
        results: page.results.filter(({ id }) => id !== 2),
      }),
    });
    const { changes } = await dryRun({ details: true });
    expect(changes?.map(({ reason }) => reason)).toEqual([
      expect.stringMatching(/^left on \d{4}-\d\d-\d\d$/),
      'not in the list; Django says inactive',
    ]);
  });

  test('says with details who changes, from what to what, and why', async () => {
    const person = (id: number) => register().get(id);
    leave(1, 1);
    const [second, third] = [person(2), person(3)];
    register().update(2, { name: 'Annað Nafn', email: null });
    register().update(3, { kennitala: '9900000003' });
    register().add({ id: 36, kennitala: '0000000036', name: 'Ný', email: null, phone: null });
    const { changes } = await dryRun({ details: true });
    const masked = (kennitala: string | undefined) => `${kennitala?.slice(0, 6)}-****`;
    expect(changes).toEqual([
      expect.objectContaining({
        action: 'remove',
        external_id: '1',
        before: { is_active: true, removed_at: null },
        after: { is_active: false, removed_at: expect.stringMatching(/T.*Z$/) },
        reason: 'not in the list; Django says 404',
      }),
      {
        action: 'add',
        external_id: '36',
        kennitala: '000000-****',
        fields: ['kennitala', 'name', 'email', 'phone', 'external_id', 'is_active'],
        name: 'Ný',
        before: null,
        after: {
          kennitala: '000000-****',
          name: 'Ný',
          email: null,
          phone: null,
          external_id: '36',
          is_active: true,
        },
        reason: 'in the list, and not here',
      },
      expect.objectContaining({
        external_id: '2',
        name: 'Annað Nafn',
        before: { name: second?.name, email: second?.email },
        after: { name: 'Annað Nafn', email: null },
        reason: 'the register has another name, email',
      }),
      expect.objectContaining({
        external_id: '3',
        before: { kennitala: masked(third?.kennitala) },
        after: { kennitala: '990000-****' },
        reason: 'the register has another kennitala for this member',
      }),
    ]);
    expect(JSON.stringify(changes)).not.toContain(third?.kennitala);
  });
});

describe('what was undone stays undone', () => {
  const rows = () => membersOf(world.database);
  const spoil = (id: number) =>
    world.django.misbehave({
      kind: 'rewrite',
      when: ({ path }) => path === '/api/members/',
      body: (page: { results: { id: number }[] }) => ({
        ...page,
        results: page.results.map((one) => (one.id === id ? { ...one, name: 12 } : one)),
      }),
    });

  test('although a run could not read the record of the member', async () => {
    join(36, 36);
    const { run_id } = await sync();
    await sync({ undo: run_id });
    const end = spoil(36);
    expect(await sync()).toMatchObject({ members_added: 0, error_count: 1 });
    end();
    expect((await sync()).held).toMatchObject({ additions: { count: 1, reason: 'undone' } });
    expect(await active()).toEqual(ids(1, 35));
  });

  test('although a removal was not confirmed', async () => {
    leave(1, 1);
    const { run_id } = await sync();
    await sync({ undo: run_id });
    const { plan } = await dryRun();
    const end = world.django.misbehave({
      kind: 'status',
      status: 500,
      when: ({ path }) => path === '/api/members/1/',
    });
    expect(await sync({ plan })).toMatchObject({ members_removed: 0, removals_unconfirmed: 1 });
    end();
    expect((await sync()).held).toMatchObject({ removals: { count: 1, reason: 'undone' } });
  });

  test.each([
    { what: 'an addition', act: () => join(36, 36), id: 36 },
    {
      what: 'a return',
      act: () => register().update(7, { is_active: true, deleted_at: null }),
      id: 7,
    },
    { what: 'another kennitala', act: () => renumber(3, 3), id: 3 },
  ])('$what, although phone number and address are others since', async ({ act, id }) => {
    register().softDelete(7);
    await sync();
    act();
    const { run_id } = await sync();
    await sync({ undo: run_id });
    const before = await rows();
    for (const news of [{ phone: '+354 555 1234' }, { email: null, phone: null }]) {
      register().update(id, news);
      expect(await sync()).toMatchObject({ status: 'held' });
      expect(await rows()).toEqual(before);
    }
    const { plan, held } = await sync();
    expect(Object.values(held ?? {})).toEqual([expect.objectContaining({ reason: 'undone' })]);
    expect(await sync({ plan })).toMatchObject({ status: 'success' });
  });

  test('a removal, although the member has another phone number since', async () => {
    leave(1, 1);
    const { run_id } = await sync();
    await sync({ undo: run_id });
    await world.database.query("update public.members set phone = '1' where external_id = '1'");
    expect((await sync()).held).toMatchObject({ removals: { count: 1, reason: 'undone' } });
  });

  test('an addition, although its kennitala is another one since', async () => {
    join(36, 36);
    const { run_id } = await sync();
    await sync({ undo: run_id });
    register().update(36, { kennitala: '1102870169' });
    for (const _ of ['first', 'second']) {
      expect((await sync()).held).toMatchObject({ additions: { count: 1, reason: 'undone' } });
    }
    expect(await active()).toEqual(ids(1, 35));
    const { plan } = await sync();
    expect(await sync({ plan })).toMatchObject({ status: 'success' });
    expect(await active()).toEqual(ids(1, 36));
    expect(await sync()).toMatchObject({ status: 'success' });
  });

  test('another kennitala, although it comes under another Django id', async () => {
    register().update(3, { kennitala: '1102870169' });
    const { run_id } = await sync();
    await sync({ undo: run_id });
    const { name } = register().get(3) ?? {};
    register().remove(3);
    register().add({ id: 90, kennitala: '1102870169', name });
    for (const _ of ['first', 'second']) {
      expect((await sync()).held).toMatchObject({ additions: { count: 1, reason: 'undone' } });
    }
    expect(await active()).not.toContain(90);
  });

  test('another kennitala, although the name is another one since, and the row keeps its vote', async () => {
    register().update(3, { kennitala: '1102870169' });
    const { run_id } = await sync();
    await sync({ undo: run_id });
    register().update(3, { name: 'Allt Annað' });
    for (const _ of ['first', 'second']) {
      const { held } = await sync();
      expect(held).toMatchObject({
        additions: { count: 1, reason: 'undone' },
        removals: { count: 1, reason: 'undone' },
      });
    }
    expect(await active()).toEqual(ids(1, 35));
  });

  const memberOf = async (id: number) =>
    (
      await world.database.query(
        `select id, kennitala, name, phone, is_active from public.members where external_id = '${id}'`,
      )
    )[0];

  test('a name, while what else the register says of the member is done', async () => {
    const before = await memberOf(2);
    register().update(2, { name: 'Annað Nafn', email: 'annad@felagi.example' });
    const { run_id } = await sync();
    await sync({ undo: run_id });
    register().update(2, { phone: '+354 555 1234', email: 'thridja@felagi.example' });
    expect(await dryRun()).toMatchObject({ members_updated: 1 });
    expect(await sync()).toMatchObject({ status: 'success', members_updated: 1 });
    expect(await memberOf(2)).toEqual({ ...before, phone: '+354 555 1234' });
    // By now nothing else is asked for, and the name waits as it did.
    const { plan, held } = await sync();
    expect(held).toMatchObject({ updates: { count: 1, reason: 'undone' } });
    register().update(2, { kennitala: '1102870169' });
    expect(await sync()).toMatchObject({ members_kennitala_changed: 1, members_removed: 0 });
    const moved = { ...before, phone: '+354 555 1234', kennitala: '1102870169' };
    expect(await memberOf(2)).toEqual(moved);
    expect(await sync({ plan })).toMatchObject({ error: { code: 'plan_changed' } });
    expect(await sync({ plan: (await sync()).plan })).toMatchObject({ members_updated: 1 });
    expect(await memberOf(2)).toEqual({ ...moved, name: 'Annað Nafn' });
    expect(await sync()).toMatchObject({ status: 'success', members_updated: 0 });
    expect((await world.get('syncStatus')).body).toMatchObject({ attention: [] });
  });

  test('a name, although the member leaves and comes back with it', async () => {
    const before = await memberOf(2);
    register().update(2, { name: 'Annað Nafn' });
    const { run_id } = await sync();
    await sync({ undo: run_id });
    const record = register().get(2);
    register().remove(2);
    await sync();
    // By this run nobody asked for the name.
    register().add({ ...record, id: 2 });
    await sync();
    expect(await memberOf(2)).toEqual({ ...before, name: 'Annað Nafn' });
  });

  test('a removal, although another service gave the row another kennitala since', async () => {
    leave(1, 1);
    const { run_id } = await sync();
    await sync({ undo: run_id });
    await world.database.query(
      "update public.members set kennitala = '1102870169' where external_id = '1'",
    );
    for (const _ of ['first', 'second']) {
      expect((await sync()).held).toMatchObject({ removals: { count: 1, reason: 'undone' } });
    }
    expect(await sync({ plan: (await sync()).plan })).toMatchObject({ members_removed: 1 });
    expect((await world.get('syncStatus')).body).toMatchObject({ attention: [] });
  });

  test('until a readable record no longer asks for it', async () => {
    register().update(2, { name: 'Annað Nafn' });
    const { run_id } = await sync();
    await sync({ undo: run_id });
    register().update(2, { name: 'Þriðja Nafn' });
    expect(await sync()).toMatchObject({ status: 'success', members_updated: 1 });
    register().update(2, { name: 'Annað Nafn' });
    expect(await sync()).toMatchObject({ status: 'success', members_updated: 1 });
  });
});

describe('what was undone binds the person', () => {
  const other = { name: 'Rétt Manneskja', email: null, phone: null };
  const undone = async () => {
    const { run_id } = await sync();
    expect(await sync({ undo: run_id })).toMatchObject({ status: 'success' });
  };
  const inStep = async () => {
    expect(await sync()).toMatchObject({ status: 'success' });
    expect((await world.get('syncStatus')).body).toMatchObject({
      attention: [],
      election: { may_open: true },
    });
  };

  test.each([
    { whose: 'another name', more: other },
    { whose: 'the same name', more: { email: null, phone: null } },
  ])('so the owner of a kennitala joins once it is corrected, with $whose', async ({ more }) => {
    const { kennitala, name } = register().get(3) ?? {};
    register().update(3, { kennitala: '1102870169' });
    await undone();
    register().update(3, { kennitala });
    register().add({ id: 90, kennitala: '1102870169', name, ...more });
    expect(await sync()).toMatchObject({ status: 'success', members_added: 1 });
    expect(await active()).toEqual([...ids(1, 35), 90]);
    await inStep();
  });

  test('so the owner joins although the member it was typed at has left', async () => {
    register().update(3, { kennitala: '1102870169' });
    await undone();
    register().remove(3);
    register().add({ id: 90, kennitala: '1102870169', ...other });
    expect(await sync()).toMatchObject({
      status: 'success',
      members_added: 1,
      members_removed: 1,
    });
    await inStep();
  });

  test('and who has the kennitala that a newcomer was given by mistake waits for that row only', async () => {
    register().add({ id: 36, kennitala: '1102870169', name: 'Ný Félagskona' });
    await undone();
    register().update(36, { kennitala: '0102870229' });
    register().add({ id: 90, kennitala: '1102870169', ...other });
    // The newcomer was taken back under whichever kennitala, and the row still has the first one.
    const { changes } = await dryRun();
    expect(changes?.map(({ external_id, held }) => [external_id, held]).sort()).toEqual([
      ['36', 'undone'],
      ['90', 'blocked'],
    ]);
    const { held, plan } = await sync();
    expect(held).toMatchObject({ additions: { count: 2, reason: 'undone' } });
    expect(await sync({ plan })).toMatchObject({ status: 'success' });
    expect(await active()).toEqual([...ids(1, 36), 90]);
    await inStep();
  });

  test('and not who gets the Django id afterwards', async () => {
    leave(1, 1);
    join(36, 36);
    await undone();
    register().remove(36);
    register().add({ id: 36, kennitala: '1102870169', ...other });
    register().add({ id: 1, kennitala: '0102870229', name: 'Önnur Manneskja', email: null });
    expect(await sync()).toMatchObject({
      members_added: 2,
      held: { removals: { count: 1, reason: 'undone' } },
    });
    // The first one of that id keeps the vote that an admin gave back, and the second has another.
    const rows = await world.database.query(
      "select is_active from public.members where external_id in ('1', '36') order by id",
    );
    expect(rows.map(({ is_active }) => is_active)).toEqual([true, false, true, true]);
  });

  test('so an approval of one who left says nothing of who got the Django id', async () => {
    register().update(1, { kennitala: '1102870169', ...other });
    await undone();
    const { plan, held } = await sync();
    expect(held).toMatchObject({
      removals: { count: 1, reason: 'undone' },
      additions: { count: 1, reason: 'undone' },
    });
    const rest = await sync({ plan, classes: ['removals'] });
    expect(rest).toMatchObject({
      members_removed: 1,
      held: { additions: { count: 1, reason: 'undone' } },
    });
    expect(await sync()).toMatchObject({ members_reactivated: 0, plan: rest.plan });
    expect(await sync({ plan: rest.plan })).toMatchObject({ members_reactivated: 1 });
    await inStep();
  });

  test('although the register changes one thing after another', async () => {
    join(36, 36);
    await undone();
    const record = register().get(36);
    register().remove(36);
    const steps = [
      () => register().add({ ...record, id: 90 }),
      () => register().update(90, { name: 'Allt Annað' }),
      () => register().update(90, { kennitala: '1102870169' }),
      () => register().update(90, { kennitala: '0102870229', email: null }),
    ];
    for (const step of steps) {
      step();
      expect((await sync()).held).toEqual({
        additions: expect.objectContaining({ count: 1, reason: 'undone' }),
      });
      expect((await world.get('syncStatus')).body).toMatchObject({
        attention: [{ code: 'undone', count: 1 }],
      });
    }
    expect(await sync({ plan: (await sync()).plan })).toMatchObject({ members_added: 1 });
    await inStep();
  });

  test('and shows among however many others that wait', async () => {
    leave(1, 1);
    await undone();
    leave(2, 12);
    const look = await dryRun({ limit: 200 });
    expect(look.held).toEqual({
      removals: { count: 12, limit: 10, reason: 'limit_exceeded', undone: 1 },
    });
    expect(look.changes?.filter(({ held }) => held === 'undone')).toEqual([
      expect.objectContaining({ external_id: '1' }),
    ]);
    await sync();
    expect((await world.get('syncStatus')).body).toMatchObject({
      attention: [
        { code: 'held', count: 11 },
        { code: 'undone', count: 1 },
        { code: 'unseen_members' },
      ],
    });
    expect(await sync({ plan: look.plan })).toMatchObject({ members_removed: 12 });
  });
});

test('a member whose name waits keeps the row when the kennitala changes', async () => {
  for (const id of ids(1, 20)) register().update(id, { name: `Nýtt Nafn ${id}` });
  expect(await sync()).toMatchObject({ status: 'held', members_updated: 0 });
  const [row] = await world.database.query("select id from public.members where external_id = '3'");
  register().update(3, { kennitala: '1102870169' });
  expect(await sync()).toMatchObject({ members_added: 0, members_removed: 0 });
  const { plan } = await sync();
  await sync({ plan });
  const rows = await world.database.query(
    "select id, name, is_active from public.members where kennitala = '1102870169'",
  );
  expect(rows).toEqual([{ id: row?.['id'], name: 'Nýtt Nafn 3', is_active: true }]);
});
