import { asksForList, hideFromList, memberAsked, onPage, range } from '../support/register.ts';
import { createWorld, type Settings, smallPages, type World } from '../support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld(smallPages);
});
beforeEach(async () => {
  await world.reset(35);
  expect(await world.sync()).toMatchObject({ body: { status: 'success', members_added: 35 } });
  world.django.clear();
});

const register = () => world.django.members;
// Of the members asked for on their own pages, these; others of the list show that pages are true.
const asked = (...ids: number[]) =>
  world.django.requests.map(memberAsked).filter((id) => ids.includes(Number(id)));
const walks = () =>
  world.django.requests.filter(
    (one) => asksForList(one) && !one.query['page'] && !one.query['cursor'],
  ).length;
const answerFor7 = (body: (record: object) => unknown) =>
  void world.django.misbehave({
    kind: 'rewrite',
    when: (request) => memberAsked(request) === '7',
    body: (record: object) => body(record),
  });

// Member 7 is not in the list, and the others agree with every count. What does its own page say?
test.each<{ name: string; answer: () => void }>([
  {
    name: 'a 404',
    answer: () =>
      void world.django.misbehave({
        kind: 'status',
        status: 404,
        when: (request) => memberAsked(request) === '7',
      }),
  },
  {
    name: 'a record of that id and kennitala that is not active',
    answer: () => answerFor7((record) => ({ ...record, is_active: false })),
  },
  {
    name: 'a record of that id and kennitala that is deleted',
    answer: () => answerFor7((record) => ({ ...record, deleted_at: '2026-01-01T00:00:00Z' })),
  },
])(
  'a member who is not in the list is removed when their own page is $name',
  async ({ answer }) => {
    hideFromList(world.django, [7]);
    answer();
    const { body } = await world.sync();
    expect(body).toMatchObject({ status: 'success', members_removed: 1, removals_unconfirmed: 0 });
    expect(await world.active()).toEqual(range(1, 35).filter((id) => id !== 7));
    // Nobody loses a vote by one answer.
    expect(asked(7)).toEqual(['7', '7']);
  },
);

test.each<{ name: string; answer: () => void }>([
  {
    name: 'is of another person, whatever the id asked for',
    answer: () => answerFor7(() => ({ ...register().get(1), is_active: false })),
  },
  {
    name: 'has that id and another kennitala',
    answer: () => answerFor7((one) => ({ ...one, is_active: false, kennitala: '0000000007' })),
  },
  {
    name: 'has that kennitala and another id',
    answer: () => answerFor7((record) => ({ ...record, is_active: false, id: 8 })),
  },
  { name: 'is not readable', answer: () => answerFor7(() => ({ id: 7, is_active: false })) },
  { name: 'is a list', answer: () => answerFor7(() => ({ results: [] })) },
  {
    name: 'fails',
    answer: () =>
      void world.django.misbehave({
        kind: 'status',
        status: 500,
        when: (request) => memberAsked(request) === '7',
      }),
  },
  {
    name: 'is forbidden',
    answer: () =>
      void world.django.misbehave({
        kind: 'status',
        status: 403,
        when: (request) => memberAsked(request) === '7',
      }),
  },
  {
    name: 'breaks off',
    answer: () =>
      void world.django.misbehave({
        kind: 'truncate',
        when: (request) => memberAsked(request) === '7',
      }),
  },
  {
    name: 'is a login form',
    answer: () =>
      void world.django.misbehave({
        kind: 'html',
        when: (request) => memberAsked(request) === '7',
      }),
  },
])('a member who is not in the list stays when their own page $name', async ({ answer }) => {
  hideFromList(world.django, [7]);
  answer();
  register().remove(20);
  const { body } = await world.sync();
  // Member 20 has left, and that is confirmed.
  expect(body).toMatchObject({
    status: 'partial',
    members_removed: 1,
    removals_unconfirmed: 1,
    error_count: 1,
    errors: [{ code: 'removal_unconfirmed', external_id: '7' }],
  });
  expect(await world.active()).toEqual(range(1, 35).filter((id) => id !== 20));
  expect((await world.lastRun()).details).toMatchObject({
    removals_unconfirmed: 1,
    errors: [{ code: 'removal_unconfirmed', external_id: '7' }],
  });
});

describe('a leaver whose own page says nothing leaves after a day,', () => {
  const sevenSays = (status: number, body: unknown) =>
    world.django.misbehave({
      kind: 'status',
      status,
      body,
      when: (request) => memberAsked(request) === '7',
    });
  const passADay = () =>
    world.database.query(`update public.open_findings set since = since - interval '25 hours'`);

  test.each<[string, number, unknown]>([
    ['403', 403, { detail: 'You do not have permission to perform this action.' }],
    ['an empty object', 200, {}],
    ['an error', 500, {}],
  ])('when two whole walks do not show the member: %s', async (_, status, body) => {
    register().remove(7);
    sevenSays(status, body);
    for (const _ of ['at first', 'an hour later']) {
      expect((await world.sync()).body).toMatchObject({ status: 'partial', members_removed: 0 });
    }
    await passADay();
    expect((await world.post('syncDryRun')).body).toMatchObject({ members_removed: 1 });
    expect((await world.sync()).body).toMatchObject({
      status: 'success',
      members_removed: 1,
      removals_unconfirmed: 0,
    });
    expect(await world.active()).toEqual(range(1, 35).filter((id) => id !== 7));
  });

  test('and nobody whom the second walk shows', async () => {
    let hidden = true;
    hideFromList(world.django, [7], () => hidden);
    sevenSays(403, { detail: 'No.' });
    expect((await world.sync()).body).toMatchObject({ status: 'partial', members_removed: 0 });
    await passADay();
    world.django.behaviour.onRequest = (request) => {
      if (memberAsked(request) === '7') hidden = false;
      return undefined;
    };
    expect((await world.sync()).body).toMatchObject({ members_removed: 0 });
    expect(await world.active()).toEqual(range(1, 35));
  });

  test('and nobody whose own page names them', async () => {
    hideFromList(world.django, [7]);
    answerFor7(() => ({ id: 7, is_active: false }));
    expect((await world.sync()).body).toMatchObject({ status: 'partial', members_removed: 0 });
    await passADay();
    expect((await world.sync()).body).toMatchObject({ status: 'partial', members_removed: 0 });
  });
});

test('a member whose own page says still a member proves that the walk was incomplete', async () => {
  hideFromList(world.django, [7]);
  register().remove(20);
  const { body } = await world.sync();
  expect(body).toMatchObject({
    status: 'held',
    members_removed: 0,
    removals_unconfirmed: 1,
    held: { removals: { count: 1, limit: 10, reason: 'snapshot_incomplete' } },
  });
  expect(walks()).toBe(3);
  expect(await world.active()).toEqual(range(1, 35));
  expect((await world.lastRun()).details.snapshot).toMatchObject({
    walks: 3,
    complete: false,
    mismatches: ['1 members were not in the list'],
  });
});

test('a record in the list that is no longer a member is confirmed like an absent one', async () => {
  register().softDelete(7);
  register().softDelete(8);
  // The list was cached: member 8 is a member again.
  world.django.misbehave({
    kind: 'rewrite',
    when: (request) => memberAsked(request) === '8',
    body: (record: object) => ({ ...record, is_active: true, deleted_at: null }),
  });
  const { body } = await world.sync();
  expect(body).toMatchObject({ status: 'held', members_removed: 0, removals_unconfirmed: 1 });
  world.django.clear();
  expect(await world.sync()).toMatchObject({ body: { status: 'success', members_removed: 2 } });
  expect(asked(7, 8).sort()).toEqual(['7', '7', '8', '8']);
});

test('where nobody has a page of their own, a second walk confirms who has left', async () => {
  world.django.behaviour.detail = false;
  register().remove(7);
  const { body } = await world.sync();
  expect(body).toMatchObject({ status: 'success', members_removed: 1 });
  // Not even a member of the list is found: that needs no further question.
  expect(asked(7)).toEqual([]);
  expect(walks()).toBe(2);
});

test('where nobody has a page of their own, whom a second walk finds is kept and the register walked again', async () => {
  world.django.behaviour.detail = false;
  register().remove(20);
  hideFromList(world.django, [7], () => walks() === 1);
  const { body } = await world.sync();
  expect(body).toMatchObject({ status: 'success', members_removed: 1 });
  expect(await world.active()).toEqual(range(1, 35).filter((id) => id !== 20));
  expect((await world.lastRun()).details.snapshot).toMatchObject({ walks: 2 });
});

test.each<{ name: string; spoil: () => void }>([
  {
    name: 'fails',
    spoil: () =>
      void world.django.misbehave({
        kind: 'status',
        status: 500,
        when: (request) => asksForList(request) && walks() === 2,
      }),
  },
  {
    name: 'has other counts',
    spoil: () =>
      onPage(world.django, (page, walk) => {
        if (walk === 2 && page === 2) register().add({ id: 36 });
      }),
  },
  {
    name: 'shows somebody twice',
    spoil: () =>
      void world.django.misbehave({
        kind: 'rewrite',
        when: (request) => walks() === 2 && request.query['page'] === '2',
        body: (page: { results: object[] }) => ({
          ...page,
          results: [register().get(1), ...page.results.slice(1)],
        }),
      }),
  },
  {
    name: 'has a record that names nobody',
    spoil: () =>
      void world.django.misbehave({
        kind: 'rewrite',
        when: (request) => walks() === 2 && request.query['page'] === '2',
        body: (page: { results: object[] }) => ({
          ...page,
          results: [{ name: 'Einhver' }, ...page.results.slice(1)],
        }),
      }),
  },
])(
  'where nobody has a page of their own, a second walk that $name confirms nothing',
  async ({ spoil }) => {
    world.django.behaviour.detail = false;
    register().remove(7);
    spoil();
    const { body } = await world.sync();
    expect(body).toMatchObject({ status: 'partial', members_removed: 0, removals_unconfirmed: 1 });
    expect(await world.active()).toEqual(range(1, 35));
  },
);

test('a row that has no Django id is confirmed by a second walk', async () => {
  await world.database.query('update public.members set external_id = null where id = 7');
  register().remove(7);
  register().remove(8);
  const { body } = await world.sync();
  expect(body).toMatchObject({ status: 'success', members_removed: 2 });
  expect([asked(8), walks()]).toEqual([['8', '8'], 2]);
});

test('a row without a Django id whose member a second walk finds is kept', async () => {
  await world.database.query('update public.members set external_id = null where id = 7');
  hideFromList(world.django, [7], () => walks() === 1);
  const { body } = await world.sync();
  expect(body).toMatchObject({ status: 'success', members_removed: 0, members_updated: 1 });
  expect(await world.active()).toEqual(range(1, 35));
});

// 7 and 8 swap their kennitölur, and one of them is not seen: the other one seems to own both rows.
const swap7And8 = () => {
  const [seven, eight] = [register().get(7), register().get(8)];
  register().update(7, { kennitala: eight?.kennitala });
  register().update(8, { kennitala: seven?.kennitala });
};

test('a member whose Django id took over another row keeps the old one while somebody has its kennitala', async () => {
  swap7And8();
  hideFromList(world.django, [7], () => walks() === 1);
  const { body } = await world.sync();
  expect(body).toMatchObject({ status: 'success', members_removed: 0, members_updated: 2 });
  expect(await world.active()).toEqual(range(1, 35));
});

test('asking for one of two who swapped their kennitölur changes neither', async () => {
  swap7And8();
  const before = await world.members();
  expect(await world.sync({ external_ids: ['8'] })).toMatchObject({
    status: 200,
    body: {
      status: 'partial',
      members_updated: 0,
      members_removed: 0,
      errors: [{ code: 'duplicate_kennitala', external_id: '8' }],
    },
  });
  expect(await world.members()).toEqual(before);
  expect(await world.sync({ external_ids: ['7', '8'] })).toMatchObject({
    body: { status: 'success', members_kennitala_changed: 2 },
  });
  expect(await world.sync()).toMatchObject({ body: { status: 'success', members_updated: 0 } });
  expect(await world.active()).toEqual(range(1, 35));
});

test.each(['null', 'now()'])(
  'asking for one who has the kennitala of a row that is inactive (removed_at %s) changes neither',
  async (removedAt) => {
    await world.database.query(
      `update public.members set is_active = false, removed_at = ${removedAt} where external_id = '7'`,
    );
    register().update(7, { is_active: removedAt === 'null' });
    register().update(8, { kennitala: register().get(7)?.kennitala });
    const before = await world.members();
    expect(await world.sync({ external_ids: ['8'] })).toMatchObject({
      body: {
        status: 'partial',
        members_removed: 0,
        members_suspended: 0,
        errors: [{ code: 'duplicate_kennitala', external_id: '8' }],
      },
    });
    expect(await world.members()).toEqual(before);
  },
);

test('who returns under another Django id and name is back by a call for them alone', async () => {
  const kennitala = register().get(7)?.kennitala;
  register().remove(7);
  expect(await world.sync()).toMatchObject({ body: { members_removed: 1 } });
  register().add({ id: 77, kennitala, name: 'Nýtt Nafn' });
  expect(await world.sync({ external_ids: ['77'] })).toMatchObject({
    body: { status: 'success', members_reactivated: 1, errors: [] },
  });
});

test('of two rows that became one person the old one is removed after a second walk', async () => {
  const kennitala = register().get(8)?.kennitala;
  register().remove(8);
  register().update(7, { kennitala });
  const { body } = await world.sync();
  expect(body).toMatchObject({ status: 'success', members_removed: 1, members_updated: 1 });
  expect(walks()).toBe(2);
  const rows = (await world.members()).filter((row) => row['is_active']);
  expect(rows.filter((row) => row['kennitala'] === kennitala)).toHaveLength(1);
  expect(rows).toHaveLength(34);
});

test.each<{ confirm: Settings; pagination: 'page-number' | 'cursor'; asks: number }>([
  { confirm: {}, pagination: 'page-number', asks: 2 },
  { confirm: {}, pagination: 'cursor', asks: 2 },
  { confirm: { SYNC_CONFIRM_REMOVALS: 'always' }, pagination: 'cursor', asks: 2 },
  { confirm: { SYNC_CONFIRM_REMOVALS: 'always' }, pagination: 'page-number', asks: 2 },
  { confirm: { SYNC_CONFIRM_REMOVALS: 'never' }, pagination: 'page-number', asks: 0 },
  { confirm: { SYNC_CONFIRM_REMOVALS: 'never' }, pagination: 'cursor', asks: 0 },
])('with $confirm a $pagination walk asks $asks times for one removed member', async (given) => {
  world.django.behaviour.pagination = given.pagination;
  register().remove(7);
  const { body } = await world.sync({}, given.confirm);
  expect(body).toMatchObject({ status: 'success', members_removed: 1 });
  expect(asked(7)).toEqual(Array(given.asks).fill('7'));
});

test('a removal of a member whose kennitala is left out by configuration needs that member to say so', async () => {
  const settings = { DJANGO_EXCLUDE_KENNITALA: '^9999' };
  register().update(7, { kennitala: '9999000007' });
  expect(await world.sync()).toMatchObject({ body: { status: 'success', members_updated: 1 } });
  const { body } = await world.sync({}, settings);
  expect(body).toMatchObject({ status: 'success', members_removed: 1, error_count: 0 });
  expect(await world.active()).toEqual(range(1, 35).filter((id) => id !== 7));
});

test('members are asked for at once, but never more than DJANGO_CONCURRENCY of them', async () => {
  const settings = { DJANGO_CONCURRENCY: '3', SYNC_LIMIT_FLOOR: '20' };
  for (const id of range(11, 22)) register().remove(id);
  world.django.behaviour.latencyMs = 20;
  expect(await world.sync({}, settings)).toMatchObject({ body: { members_removed: 12 } });
  expect(asked(...range(11, 22))).toHaveLength(24);
  const concurrent = world.django.requests
    .filter((request) => memberAsked(request) !== undefined)
    .map((request) => request.concurrent);
  expect(Math.max(...concurrent)).toBe(3);
});

test('a dry run confirms as the run does, and removals that are held are not asked about', async () => {
  hideFromList(world.django, [7]);
  register().remove(20);
  world.django.misbehave({ kind: 'status', status: 500, when: (one) => memberAsked(one) === '7' });
  const dry = await world.post('syncDryRun');
  expect(dry.body).toMatchObject({ members_removed: 1, removals_unconfirmed: 1 });
  expect((await world.sync()).body.plan).toBe(dry.body.plan);

  await world.reset(35);
  await world.sync();
  for (const id of range(1, 11)) register().remove(id);
  world.django.clear();
  expect(await world.post('syncDryRun')).toMatchObject({
    body: { held: { removals: { count: 11 } } },
  });
  expect(asked(...range(1, 11))).toEqual([]);
});

describe('pages of members that exist for a part of the list only', () => {
  const from = (first: number) =>
    void world.django.misbehave({
      kind: 'status',
      status: 404,
      body: { detail: 'Not found.' },
      when: (one) => Number(memberAsked(one) ?? 0) >= first,
    });

  test('say nothing of a member whom the walk misses', async () => {
    hideFromList(world.django, [28], () => walks() === 1);
    from(20);
    expect(await world.sync()).toMatchObject({ body: { members_removed: 0 } });
    expect(await world.active()).toEqual(range(1, 35));
  });

  test('say nothing in a call for single members whom the list has', async () => {
    register().remove(29);
    from(20);
    const { body } = await world.sync({ external_ids: ['28', '29'] });
    expect(body).toMatchObject({
      status: 'partial',
      members_removed: 1,
      errors: [{ code: 'removal_unconfirmed', external_id: '28' }],
    });
    expect(await world.active()).toEqual(range(1, 35).filter((id) => id !== 29));
  });

  test('are no hindrance where those next to a leaver have left as well', async () => {
    for (const id of range(11, 18)) register().remove(id);
    expect(await world.sync({ external_ids: ['14'] })).toMatchObject({
      body: { status: 'success', members_removed: 1 },
    });
  });
});

test('a key that does not see a canary takes nobody in a call for single members', async () => {
  const canary = { SYNC_CANARY_IDS: '30,2' };
  world.django.misbehave({
    kind: 'status',
    status: 404,
    body: { detail: 'Not found.' },
    when: (one) => ['7', '30'].includes(memberAsked(one) ?? ''),
  });
  for (const id of ['7', '30']) {
    expect(await world.sync({ external_ids: [id] }, canary)).toMatchObject({
      body: { members_removed: 0, errors: [{ code: 'removal_unconfirmed', external_id: id }] },
    });
  }
});
