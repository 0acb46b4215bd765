import { createHash } from 'node:crypto';
import { asksForList, onPage, range } from '../support/register.ts';
import { createWorld, smallPages, type World } from '../support/world.ts';

// 35 members, ten a page, one page at a time: what happens before which page is certain.
let world: World;
beforeAll(async () => {
  world = await createWorld(smallPages);
});
beforeEach(async () => {
  await world.reset(35);
  expect(await world.sync()).toMatchObject({ status: 200, body: { members_added: 35 } });
  world.django.clear();
});

const walksSeen = () =>
  world.django.requests.filter(
    (request) => asksForList(request) && !request.query['page'] && !request.query['offset'],
  ).length;

test('a clean walk is proven by its counts, and the whole proof is in the log', async () => {
  world.django.misbehave({ kind: 'status', status: 503, when: asksForList, times: 1 });
  const { body } = await world.sync({}, { DJANGO_MAX_RETRIES: '1' });
  expect([body.status, body.members_verified]).toEqual(['success', 35]);
  expect((await world.lastRun()).details.snapshot).toEqual({
    pagination: 'page-number',
    pages: 4,
    rows: 35,
    distinct_members: 35,
    count_at_start: 35,
    count_lowest: 35,
    count_highest: 35,
    count_at_end: 35,
    duplicates_across_pages: 0,
    retried_pages: 1,
    stale_pages: 0,
    end_unknown: false,
    keys: { is_active: true, deleted_at: true },
    canaries_missing: [],
    walks: 1,
    complete: true,
    mismatches: [],
  });
});

// Each happens on every walk, so the run ends without a proof.
const mismatches = [
  {
    name: 'a member deleted after the first page',
    spoil: () =>
      onPage(world.django, (page) => {
        const first = world.django.members.list()[0];
        if (page === 2 && first) world.django.members.remove(first.id);
      }),
    snapshot: { count_at_start: 33, count_at_end: 32, rows: 32, duplicates_across_pages: 0 },
    says: ['the count went from 33 to 32'],
  },
  {
    name: 'a member added on a page that was read',
    spoil: () => {
      let id = 0;
      onPage(world.django, (page) => {
        id -= 1;
        if (page === 2) {
          world.django.members.add({ id, kennitala: String(9_100_000_000 - id), name: 'Ný' });
        }
      });
    },
    snapshot: { count_at_start: 37, count_at_end: 38, rows: 38, duplicates_across_pages: 1 },
    says: ['the count went from 37 to 38', '1 records came on two pages'],
  },
  {
    name: 'a count that is not the number of rows',
    spoil: () =>
      void world.django.misbehave({
        kind: 'rewrite',
        when: asksForList,
        body: (page: object) => ({ ...page, count: 37 }),
      }),
    snapshot: { count_at_start: 37, count_at_end: 37, rows: 35, duplicates_across_pages: 0 },
    says: ['35 rows received, 37 counted'],
  },
  {
    name: 'one member on two pages in place of another',
    spoil: () =>
      void world.django.misbehave({
        kind: 'rewrite',
        when: (request) => request.query['page'] === '2',
        body: (page: { results: object[] }) => ({
          ...page,
          results: [world.django.members.get(10), ...page.results.slice(1)],
        }),
      }),
    snapshot: { count_at_start: 35, count_at_end: 35, rows: 35, duplicates_across_pages: 1 },
    says: ['1 records came on two pages'],
  },
  {
    name: 'a page that is invalid in the middle',
    spoil: () =>
      void world.django.misbehave({
        kind: 'status',
        status: 404,
        body: { detail: 'Invalid page.' },
        when: (request) => request.query['page'] === '3',
      }),
    snapshot: { count_at_start: 35, count_at_end: 35, rows: 20, duplicates_across_pages: 0 },
    says: [
      'the list changed while it was read: a page was gone, empty or cut',
      '20 rows received, 35 counted',
    ],
  },
  {
    name: 'an empty page in the middle of an offset list',
    spoil: () => {
      world.django.behaviour.pagination = 'limit-offset';
      world.django.misbehave({
        kind: 'rewrite',
        when: (request) => request.query['offset'] === '20',
        body: (page: object) => ({ ...page, results: [], next: null }),
      });
    },
    snapshot: { count_at_start: 35, count_at_end: 35, rows: 20, duplicates_across_pages: 0 },
    says: [
      'the list changed while it was read: a page was gone, empty or cut',
      '20 rows received, 35 counted',
    ],
  },
];

test.each(mismatches)(
  'a walk with $name is made three times, and then nobody is removed',
  async ({ spoil, snapshot, says }) => {
    // A member who left, whom a complete walk would remove, and one who is new.
    world.django.members.remove(35);
    world.django.members.add({ id: 36, name: 'Ný Félagskona' });
    spoil();
    const { status, body } = await world.sync();
    expect([status, body.status]).toEqual([200, 'held']);
    expect(body.held).toEqual({
      removals: { count: expect.any(Number), limit: 10, reason: 'snapshot_incomplete' },
    });
    expect(walksSeen()).toBe(3);
    expect((await world.lastRun()).details.snapshot).toEqual({
      ...emptySnapshot,
      ...snapshot,
      mismatches: says,
    });
    const active = await world.active();
    expect(active).toEqual(expect.arrayContaining(range(1, 35)));
    expect(body.members_removed).toBe(0);
  },
);

const emptySnapshot = {
  pagination: expect.stringMatching(/^(page-number|limit-offset)$/),
  pages: expect.any(Number),
  distinct_members: expect.any(Number),
  count_lowest: expect.any(Number),
  count_highest: expect.any(Number),
  retried_pages: 0,
  stale_pages: 0,
  end_unknown: false,
  keys: expect.anything(),
  canaries_missing: [],
  walks: 3,
  complete: false,
};

test('a run without a proof still adds and updates members', async () => {
  world.django.members.remove(35);
  world.django.members.add({ id: 36, name: 'Ný Félagskona' });
  world.django.members.update(3, { name: 'Annað Nafn' });
  world.django.misbehave({
    kind: 'rewrite',
    when: asksForList,
    body: (page: object) => ({ ...page, count: 38 }),
  });
  const { body } = await world.sync();
  expect(body).toMatchObject({
    status: 'held',
    members_added: 1,
    members_updated: 1,
    members_removed: 0,
    held: { removals: { count: 1, reason: 'snapshot_incomplete' } },
  });
  expect(await world.active()).toEqual(range(1, 36));
  expect((await world.members())[2]).toMatchObject({ name: 'Annað Nafn' });
});

test('the walk after a changed list is the one that counts', async () => {
  onPage(world.django, (page, walk) => {
    if (page === 3 && walk === 1) for (const id of range(29, 35)) world.django.members.remove(id);
  });
  const { body } = await world.sync();
  expect(body).toMatchObject({ status: 'success', members_fetched: 28, members_removed: 7 });
  expect((await world.lastRun()).details.snapshot).toMatchObject({
    walks: 2,
    complete: true,
    count_at_start: 28,
    mismatches: [],
  });
  expect(await world.active()).toEqual(range(1, 28));
});

// One deleted on a page that was read, one added at the end: member 11 slides to that page unseen.
const swapDuringWalk = (walks: number) => {
  let removed = 1;
  onPage(world.django, (page, walk) => {
    if (page !== 2 || walk > walks) return;
    world.django.members.remove(removed);
    world.django.members.add({ id: 35 + removed });
    removed += 1;
  });
};

test('a member hidden by a deletion and an addition, with every count in agreement, is asked for and kept', async () => {
  swapDuringWalk(1);
  const { body } = await world.sync();
  expect(body).toMatchObject({ status: 'success', members_removed: 1, members_added: 1 });
  expect(await world.active()).toEqual(range(2, 36));
  // The walk itself had nothing to complain about: only the member's own page told.
  const bundle = await world.bundle('syncScheduled');
  expect(await bundle.says({ event: 'walk_repeated', run_id: body.run_id })).toMatchObject({
    message: 'walk 1 did not see the whole register: 1 members were not in the list',
  });
  expect(walksSeen()).toBe(2);
});

test('a member hidden in the same way on each of three walks is kept, and no one is removed', async () => {
  swapDuringWalk(3);
  const { body } = await world.sync();
  // The third walk still showed member 3; that 1 and 2 are gone it says as well, but it missed a member.
  expect(body).toMatchObject({
    status: 'held',
    members_removed: 0,
    removals_unconfirmed: 1,
    held: { removals: { count: 2, limit: 10, reason: 'snapshot_incomplete' } },
  });
  expect(walksSeen()).toBe(3);
  expect(await world.active()).toEqual(range(1, 38));
  expect((await world.lastRun()).details.snapshot).toMatchObject({
    walks: 3,
    complete: false,
    mismatches: ['1 members were not in the list'],
  });
  world.django.behaviour.onRequest = () => undefined;
  expect(await world.sync()).toMatchObject({ body: { status: 'success', members_removed: 3 } });
  expect(await world.active()).toEqual(range(4, 38));
});

test('a list followed by its cursor misses nobody while it changes, and has no count to compare', async () => {
  world.django.behaviour.pagination = 'cursor';
  let pages = 0;
  onPage(world.django, () => {
    pages += 1;
    if (pages !== 2) return;
    world.django.members.remove(1);
    world.django.members.add({ id: 36 });
  });
  const { body } = await world.sync();
  expect(body).toMatchObject({ status: 'success', members_added: 1, members_removed: 0 });
  expect((await world.lastRun()).details.snapshot).toMatchObject({
    pagination: 'cursor',
    rows: 36,
    count_at_start: null,
    count_at_end: null,
    walks: 1,
    complete: true,
  });
});

describe('no approval makes an incomplete reading complete:', () => {
  const lie = (count: number) =>
    world.django.misbehave({
      kind: 'rewrite',
      when: asksForList,
      body: (page: object) => ({ ...page, count }),
    });
  const unseen = '35 rows received, 38 counted';
  const status = async () => (await world.get('syncStatus')).body;

  test('where no change waits there is nothing to approve, and everybody who asks is told why', async () => {
    lie(38);
    const { body } = await world.sync();
    expect(body).toMatchObject({
      status: 'held',
      held: { removals: { count: 0, reason: 'snapshot_incomplete' } },
      mismatches: [unseen],
    });
    expect(body).not.toHaveProperty('plan');
    expect((await world.post('syncDryRun')).body).not.toHaveProperty('plan');
    const held = {
      held: { plan: null, next_step: expect.stringContaining(unseen) },
      attention: [
        { code: 'held', message: expect.stringMatching(`${unseen}.*nothing to approve`) },
      ],
      election: { may_open: false },
      status: 'attention',
    };
    expect(await status()).toMatchObject(held);

    // The digest of nothing.
    const nothing = `sha256:${createHash('sha256').digest('hex')}`;
    const refused = await world.sync({ plan: nothing });
    expect([refused.status, refused.body.error]).toEqual([
      400,
      expect.objectContaining({
        code: 'invalid_request',
        message: expect.stringContaining(unseen),
      }),
    ]);
    expect(await status()).toMatchObject(held);
    world.django.clear();
    expect(await world.sync()).toMatchObject({ body: { status: 'success' } });
    expect(await status()).toMatchObject({ status: 'ok', election: { may_open: true } });
  });

  test('what waits is done when it is approved, and the run stays one that did not see all', async () => {
    world.django.members.remove(34);
    world.django.members.remove(35);
    lie(38);
    const { body } = await world.sync();
    expect(body).toMatchObject({ held: { removals: { count: 2, reason: 'snapshot_incomplete' } } });
    expect((await status()).held).toMatchObject({
      plan: body.plan,
      next_step: expect.stringMatching(/33 rows received, 38 counted.*stays incomplete/),
    });
    const approved = await world.sync({ plan: body.plan });
    expect(approved).toMatchObject({
      status: 200,
      body: {
        status: 'held',
        members_removed: 2,
        held: { removals: { count: 0, reason: 'snapshot_incomplete' } },
      },
    });
    expect(await world.active()).toEqual(range(1, 33));
    expect(await status()).toMatchObject({
      status: 'attention',
      held: { run_id: approved.body.run_id, plan: null },
      election: { may_open: false },
    });
    expect((await world.lastRun())['register_mark']).toBeNull();
    expect(await world.sync({ plan: body.plan })).toMatchObject({ status: 409 });
  });

  test('a first load that saw a part offers no digest of what it has done already', async () => {
    await world.reset(35);
    lie(38);
    const { body } = await world.sync();
    expect(body).toMatchObject({ status: 'held', members_added: 35 });
    expect(body).not.toHaveProperty('plan');
    expect(await status()).toMatchObject({ status: 'never_synced', held: { plan: null } });
  });
});
