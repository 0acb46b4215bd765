import { asksForList, listNameless, range } from '../support/register.ts';
import { createWorld, type Settings, smallPages, type World } from '../support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld(smallPages);
});

const register = () => world.django.members;
const setting = (settings: Settings = {}) => ({
  DJANGO_PAGE_SIZE: '100',
  DJANGO_CONCURRENCY: '4',
  ...settings,
});
const shares = setting({ SYNC_LIMIT_FLOOR: '0' });
const exact = setting({
  SYNC_LIMIT_FLOOR: '0',
  SYNC_MAX_REMOVALS: '3',
  SYNC_MAX_ADDITIONS: '3',
  SYNC_MAX_UPDATES: '3',
});

/** So many members here and there, and no history. */
async function begin(members = 100, settings: Settings = shares) {
  await world.reset(members);
  Object.assign(world.django.behaviour, { pageSize: 100 });
  const { body } = await world.sync({}, settings);
  expect(body).toMatchObject({ status: 'success', members_added: members });
}

const leave = (from: number, to: number) => {
  for (const id of range(from, to)) register().remove(id);
};
const join = (from: number, to: number) => {
  for (const id of range(from, to)) register().add({ id });
};
const rename = (from: number, to: number) => {
  for (const id of range(from, to)) register().update(id, { name: `Annað Nafn ${id}` });
};
const age = (hours: number) =>
  world.database.query(
    'update public.member_changes set changed_at = changed_at - make_interval(hours => $1)',
    [hours],
  );

test.each<{
  name: string;
  settings: Settings;
  members?: number;
  most: () => void;
  over: () => void;
  held: object;
}>([
  {
    name: '2 % of the active members leave',
    settings: shares,
    most: () => leave(1, 2),
    over: () => leave(1, 3),
    held: { removals: { count: 3, limit: 2, reason: 'limit_exceeded' } },
  },
  {
    name: '10 % of the active members join',
    settings: shares,
    most: () => join(101, 110),
    over: () => join(101, 111),
    held: { additions: { count: 11, limit: 10, reason: 'limit_exceeded' } },
  },
  {
    name: '50 % of the active members change',
    settings: shares,
    most: () => rename(1, 50),
    over: () => rename(1, 51),
    held: { updates: { count: 51, limit: 50, reason: 'limit_exceeded' } },
  },
  {
    name: 'as many leave as an absolute limit says',
    settings: exact,
    most: () => leave(1, 3),
    over: () => leave(1, 4),
    held: { removals: { count: 4, limit: 3, reason: 'limit_exceeded' } },
  },
  {
    name: 'as many join as an absolute limit says',
    settings: exact,
    most: () => join(101, 103),
    over: () => join(101, 104),
    held: { additions: { count: 4, limit: 3, reason: 'limit_exceeded' } },
  },
  {
    name: 'as many change as an absolute limit says',
    settings: exact,
    most: () => rename(1, 3),
    over: () => rename(1, 4),
    held: { updates: { count: 4, limit: 3, reason: 'limit_exceeded' } },
  },
  {
    name: 'as many leave as the floor lets pass',
    settings: setting(),
    most: () => leave(1, 10),
    over: () => leave(1, 11),
    held: { removals: { count: 11, limit: 10, reason: 'limit_exceeded' } },
  },
  {
    name: 'as many join a small register as the floor lets pass',
    settings: setting(),
    members: 20,
    most: () => join(101, 110),
    over: () => join(101, 111),
    held: { additions: { count: 11, limit: 10, reason: 'limit_exceeded' } },
  },
  {
    name: 'as many change in a small register as the floor lets pass',
    settings: setting(),
    members: 12,
    most: () => rename(1, 10),
    over: () => rename(1, 11),
    held: { updates: { count: 11, limit: 10, reason: 'limit_exceeded' } },
  },
])('$name and it is done; with one more of them none is', async (given) => {
  await begin(given.members, given.settings);
  const before = await world.members();
  given.over();
  const over = await world.sync({}, given.settings);
  expect([over.status, over.body.status, over.body.held]).toEqual([200, 'held', given.held]);
  expect(await world.members()).toEqual(before);

  await begin(given.members, given.settings);
  given.most();
  const most = await world.sync({}, given.settings);
  expect([most.body.status, most.body.held]).toEqual(['success', undefined]);
  expect(await world.members()).not.toEqual(before);
});

test.each<{ name: string; change: () => void; held: object }>([
  {
    name: 'everybody but one leaves',
    change: () => leave(2, 8),
    held: { removals: { count: 7, limit: 6, reason: 'limit_exceeded' } },
  },
  {
    name: 'everybody is another person',
    change: () => {
      leave(1, 8);
      for (const id of range(1, 8)) register().add({ id });
    },
    held: { removals: { count: 8, limit: 6, reason: 'limit_exceeded' } },
  },
  {
    name: 'everybody has another kennitala',
    change: () => {
      const old = register()
        .list()
        .map(({ kennitala }) => kennitala);
      for (const id of range(1, 8)) register().update(id, { kennitala: old[id % 8] });
    },
    held: { kennitala_changes: { count: 8, limit: 6, reason: 'limit_exceeded' } },
  },
])(
  'of eight members nobody loses the vote when $name, until an admin approves',
  async ({ change, held }) => {
    await begin(8, setting());
    const before = await world.members();
    change();
    const { body } = await world.sync({}, setting());
    expect(body).toMatchObject({ status: 'held', held });
    expect((await world.members()).slice(0, 8)).toEqual(before);
    expect(await world.sync({ plan: body.plan }, setting())).toMatchObject({
      body: { status: 'success' },
    });
  },
);

test('members who come back count as additions, together with those who are new', async () => {
  await begin();
  for (const id of [1, 2]) register().softDelete(id);
  expect(await world.sync({}, shares)).toMatchObject({ body: { members_removed: 2 } });
  await age(25);
  for (const id of [1, 2]) register().update(id, { is_active: true, deleted_at: null });
  join(101, 108);
  const { body } = await world.sync({}, shares);
  expect(body).toMatchObject({
    members_added: 0,
    members_reactivated: 0,
    // A tenth of the 98 that are left.
    held: { additions: { count: 10, limit: 9, reason: 'limit_exceeded' } },
  });
  register().remove(108);
  expect(await world.sync({}, shares)).toMatchObject({
    body: { status: 'success', members_added: 7, members_reactivated: 2 },
  });
});

test('a class over its limit is held as a whole, the others are applied, and the log is critical', async () => {
  await begin();
  leave(1, 3);
  join(101, 105);
  rename(10, 20);
  const { status, body } = await world.sync({}, shares);
  const held = { removals: { count: 3, limit: 2, reason: 'limit_exceeded' } };
  expect([status, body]).toEqual([
    200,
    expect.objectContaining({
      status: 'held',
      held,
      members_removed: 0,
      members_added: 5,
      members_updated: 11,
    }),
  ]);
  expect(await world.active()).toEqual(range(1, 105));
  expect(await world.lastRun()).toMatchObject({ status: 'held', details: { held } });
  const bundle = await world.bundle('syncScheduled', shares);
  expect(await bundle.says({ severity: 'CRITICAL', run_id: body.run_id })).toMatchObject({
    event: 'sync_held',
    held,
    plan: body.plan,
  });
});

test('members who exchange kennitölur with leavers are limited like all who get another kennitala', async () => {
  await begin();
  for (const id of [1, 2]) register().update(id, { is_active: false });
  expect(await world.sync({}, shares)).toMatchObject({ body: { members_removed: 2 } });
  await age(25);
  for (const id of [1, 2]) {
    const [left, stays] = [register().get(id), register().get(10 + id)];
    register().update(id, { kennitala: stays?.kennitala });
    register().update(10 + id, { kennitala: left?.kennitala });
  }
  const before = await world.members();
  const { body } = await world.sync({}, shares);
  expect(body).toMatchObject({
    status: 'held',
    members_reactivated: 0,
    members_removed: 0,
    held: { kennitala_changes: { count: 4, limit: 1, reason: 'limit_exceeded' } },
  });
  expect(await world.members()).toEqual(before);
  const approved = await world.sync({ plan: body.plan }, shares);
  expect(approved).toMatchObject({ body: { status: 'success', members_kennitala_changed: 4 } });
  expect(await world.active()).toEqual(range(3, 100));
  expect(await world.sync({}, shares)).toMatchObject({ body: { members_updated: 0 } });

  const undo = { undo: approved.body.run_id };
  const { body: look } = await world.post('syncDryRun', undo, shares);
  await world.sync({ ...undo, plan: look.plan }, shares);
  expect(await world.members()).toEqual(before);
  expect(await world.sync({}, shares)).toMatchObject({
    body: { held: { kennitala_changes: { count: 4, reason: 'undone' } } },
  });
});

test('a slow drip is stopped when a day of it is more than a run may do', async () => {
  await begin(100, exact);
  for (const id of [1, 2, 3]) {
    leave(id, id);
    expect(await world.sync({}, exact)).toMatchObject({ body: { members_removed: 1 } });
  }
  leave(4, 4);
  const held = { removals: { count: 1, limit: 3, reason: 'window_limit_exceeded' } };
  expect((await world.sync({}, exact)).body).toMatchObject({ status: 'held', held });
  await age(23);
  expect((await world.sync({}, exact)).body).toMatchObject({ status: 'held', held });
  await age(2);
  expect((await world.sync({}, exact)).body).toMatchObject({
    status: 'success',
    members_removed: 1,
  });
});

test('additions and updates drip no further than removals do', async () => {
  await begin();
  join(101, 110);
  rename(1, 50);
  expect(await world.sync({}, shares)).toMatchObject({ body: { status: 'success' } });
  join(111, 112);
  rename(51, 56);
  expect((await world.sync({}, shares)).body).toMatchObject({
    status: 'held',
    members_added: 0,
    members_updated: 0,
    held: {
      additions: { count: 2, limit: 11, reason: 'window_limit_exceeded' },
      updates: { count: 6, limit: 55, reason: 'window_limit_exceeded' },
    },
  });
  await age(25);
  expect((await world.sync({}, shares)).body).toMatchObject({
    status: 'success',
    members_added: 2,
    members_updated: 6,
  });
});

test('the window is as long as SYNC_LIMIT_WINDOW_HOURS says', async () => {
  const short = { ...shares, SYNC_LIMIT_WINDOW_HOURS: '1' };
  await begin();
  leave(1, 2);
  await world.sync({}, shares);
  await age(2);
  leave(3, 3);
  expect((await world.post('syncDryRun', {}, shares)).body.held).toMatchObject({
    removals: { reason: 'window_limit_exceeded' },
  });
  expect((await world.post('syncDryRun', {}, short)).body).toMatchObject({
    status: 'success',
    members_removed: 1,
  });
});

test('what is held counts for nothing until it is applied', async () => {
  await begin();
  leave(1, 3);
  await world.sync({}, shares);
  await world.sync({}, shares);
  register().add({ ...(await removed(3)) });
  expect((await world.sync({}, shares)).body).toMatchObject({
    status: 'success',
    members_removed: 2,
  });
});

const removed = async (id: number) => {
  const [row] = await world.database.query(
    'select external_id::int as id, kennitala, name, email, phone from public.members where id = $1',
    [id],
  );
  return row;
};

test('the first load is not limited, and leaves the next runs all of their limits', async () => {
  await begin(100, shares);
  expect((await world.lastRun())['members_added']).toBe(100);
  join(101, 110);
  expect((await world.sync({}, shares)).body).toMatchObject({
    status: 'success',
    members_added: 10,
  });
  // Those ten do count.
  join(111, 112);
  expect((await world.sync({}, shares)).body).toMatchObject({
    held: { additions: { count: 2, limit: 11, reason: 'window_limit_exceeded' } },
  });
});

test('a first load is one although calls for single members came before it', async () => {
  await world.reset(100);
  const { body } = await world.post('syncScheduled', { external_ids: ['1', '2'] });
  expect(body).toMatchObject({ members_added: 2 });
  expect((await world.sync({}, shares)).body).toMatchObject({
    status: 'success',
    members_added: 98,
  });
});

test('it is none where members came by such calls and full runs have found nothing to do', async () => {
  await world.reset(60);
  for (const from of [1, 31]) {
    const external_ids = range(from, from + 29).map(String);
    await world.post('syncScheduled', { external_ids });
  }
  expect((await world.sync({}, shares)).body).toMatchObject({
    status: 'success',
    members_added: 0,
  });
  join(101, 150);
  expect((await world.sync({}, shares)).body.held).toMatchObject({ additions: { count: 50 } });
});

test('inactive rows of an import make it no less a first load', async () => {
  await world.reset(60);
  await world.database.query(
    `insert into public.members (kennitala, name, is_active)
     select '00000' || lpad(n::text, 5, '0'), 'Fyrri Skrá', false from generate_series(1, 50) n`,
  );
  expect((await world.sync({}, shares)).body).toMatchObject({ members_added: 60 });
});

test('it is none where everybody has left: so many strangers at once wait', async () => {
  await begin(20, shares);
  await world.database.query('update public.members set is_active = false, removed_at = now()');
  leave(1, 20);
  join(101, 150);
  expect((await world.sync({}, shares)).body.held).toMatchObject({ additions: { count: 50 } });
});

test('rows of other services make no later load the first, and are not what a share is of', async () => {
  await world.reset(100);
  Object.assign(world.django.behaviour, { pageSize: 100 });
  await world.database.query(
    `insert into public.members (kennitala, name, sync_source)
     select '00000' || lpad(n::text, 5, '0'), 'Annað Kerfi', 'elections' from generate_series(1, 50) n`,
  );
  expect((await world.sync({}, shares)).body).toMatchObject({
    status: 'success',
    members_added: 100,
  });
  leave(1, 3);
  expect((await world.sync({}, shares)).body.held).toEqual({
    removals: { count: 3, limit: 2, reason: 'limit_exceeded' },
  });
});

test('an empty register removes nobody, whatever the limits allow', async () => {
  const unlimited = setting({ SYNC_MAX_REMOVALS: '100%', SYNC_LIMIT_FLOOR: '1000' });
  await begin(35, unlimited);
  leave(1, 35);
  const { status, body } = await world.sync({}, unlimited);
  expect([status, body.status, body.held]).toEqual([
    200,
    'held',
    { removals: { count: 35, limit: 1000, reason: 'snapshot_empty' } },
  ]);
  expect(await world.active()).toEqual(range(1, 35));
  expect((await world.lastRun()).details.snapshot).toMatchObject({ rows: 0, complete: true });
});

test('a list of former members only is an empty register', async () => {
  const unlimited = setting({ SYNC_MAX_REMOVALS: '100%', SYNC_LIMIT_FLOOR: '1000' });
  await begin(35, unlimited);
  for (const id of range(1, 35)) register().softDelete(id);
  expect((await world.sync({}, unlimited)).body).toMatchObject({
    members_removed: 0,
    held: { removals: { count: 35, reason: 'snapshot_empty' } },
  });
});

test('a record that names nobody holds removals, since it may be anybody', async () => {
  await begin();
  leave(1, 1);
  listNameless(world, 'Nafnlaus');
  const { body } = await world.sync({}, shares);
  expect(body).toMatchObject({
    status: 'held',
    members_removed: 0,
    held: { removals: { count: 1, limit: 2, reason: 'unidentified_record' } },
  });
});

test('a key that shows a part of the list in place of all is stopped by the limit', async () => {
  await begin();
  // Django takes a key in another scheme for a stranger's, and this view shows strangers every tenth member.
  Object.assign(world.django.behaviour, { scheme: 'Token', anonymous: 'public' });
  const { body } = await world.sync({}, shares);
  expect(body).toMatchObject({
    status: 'held',
    members_fetched: 10,
    members_removed: 0,
    held: { removals: { count: 90, limit: 2, reason: 'limit_exceeded' } },
  });
  expect(await world.active()).toEqual(range(1, 100));
});

test('a field that is gone from every record changes nothing, and one that is emptied is stopped by the limit', async () => {
  await begin();
  const before = await world.members();
  const hide = world.django.misbehave({
    kind: 'rewrite',
    when: asksForList,
    body: (page: { results: { email?: string }[] }) => ({
      ...page,
      results: page.results.map(({ email: _, ...rest }) => rest),
    }),
  });
  expect((await world.sync({}, shares)).body).toMatchObject({
    status: 'success',
    members_updated: 0,
  });
  hide();
  world.django.misbehave({
    kind: 'rewrite',
    when: asksForList,
    body: (page: { results: object[] }) => ({
      ...page,
      results: page.results.map((record) => ({ ...record, email: null })),
    }),
  });
  expect((await world.sync({}, shares)).body).toMatchObject({
    status: 'held',
    held: { updates: { limit: 50, reason: 'limit_exceeded' } },
  });
  expect(await world.members()).toEqual(before);
});

test('the answer of a dry run shows the same held classes, and holds nothing against the run', async () => {
  await begin();
  leave(1, 3);
  const dry = await world.post('syncDryRun', {}, shares);
  const run = await world.sync({}, shares);
  expect([dry.body.status, dry.body.held, dry.body.plan]).toEqual([
    run.body.status,
    run.body.held,
    run.body.plan,
  ]);
  expect(dry.body.changes).toEqual(
    ['1', '2', '3'].map((external_id) => ({
      action: 'remove',
      external_id,
      kennitala: expect.stringMatching(/^\d{6}-\*{4}$/),
      fields: ['is_active', 'removed_at'],
      held: 'limit_exceeded',
    })),
  );
});
