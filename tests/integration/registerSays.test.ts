import { asksForList, hideFromList, memberAsked, onPage, range } from '../support/register.ts';
import { createWorld, type Settings, smallPages, type World } from '../support/world.ts';

// What the register says, through the built function: values and not presence, old news, pages of single members
// that say nothing, and lists that end too early.

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
const all = range(1, 35);
const without = (...ids: number[]) => all.filter((id) => !ids.includes(id));
const asked = (id: string) => world.django.requests.filter((one) => memberAsked(one) === id).length;
const walks = () =>
  world.django.requests.filter(
    (one) => asksForList(one) && !one.query['page'] && !one.query['cursor'],
  ).length;
const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();

describe('a key that decides membership', () => {
  const without = (key: string, when: typeof asksForList) =>
    world.django.misbehave({
      kind: 'rewrite',
      when,
      body: (body: { results?: object[] }) => {
        const bare = (record: object) =>
          Object.fromEntries(Object.entries(record).filter(([name]) => name !== key));
        return body.results ? { ...body, results: body.results.map(bare) } : bare(body);
      },
    });
  const former = () => {
    for (const id of [3, 4]) register().update(id, { is_active: false });
    register().softDelete(5);
  };

  test.each(['is_active', 'deleted_at'])(
    'makes nobody a member when it is gone: %s, run after run, until that is said to be meant',
    async (key) => {
      former();
      expect(await world.sync()).toMatchObject({ body: { members_removed: 3 } });
      const end = without(key, (one) => asksForList(one) || memberAsked(one) !== undefined);
      for (const _ of ['first', 'second']) {
        expect(await world.sync()).toMatchObject({
          status: 502,
          body: { error: { code: 'django_invalid_response' } },
        });
      }
      expect((await world.active()).length).toBe(32);
      const none = { DJANGO_FIELD_MAP: JSON.stringify({ [key]: '' }) };
      expect(await world.sync({}, none)).toMatchObject({ body: { status: 'success' } });
      end();
    },
  );

  test('makes a page say nothing that lacks it, and a leaver leaves', async () => {
    register().update(6, { is_active: false });
    const end = without('is_active', (request) => memberAsked(request) !== undefined);
    expect(await world.sync()).toMatchObject({ body: { status: 'success', members_removed: 1 } });
    expect(await world.sync({ external_ids: ['6'] })).toMatchObject({
      body: { members_reactivated: 0, errors: [{ code: 'invalid_is_active' }] },
    });
    end();
  });

  test('is missed at the first load, in another spelling or under a name that no record has', async () => {
    await world.reset(35);
    former();
    const end = world.django.misbehave({
      kind: 'rewrite',
      when: asksForList,
      body: (page: { results: { is_active?: boolean }[] }) => ({
        ...page,
        results: page.results.map(({ is_active, ...rest }) => ({ ...rest, isActive: is_active })),
      }),
    });
    const said = async (settings: Settings) => (await world.sync({}, settings)).body.error?.message;
    expect(await said({})).toContain('"isActive" and no "is_active"');
    const map = (is_active: string) => ({ DJANGO_FIELD_MAP: JSON.stringify({ is_active }) });
    expect(await said(map('isMember'))).toContain('no "isMember"');
    expect(await world.active()).toEqual([]);
    expect(await world.sync({}, map('isActive'))).toMatchObject({ body: { members_added: 32 } });
    end();
  });
});

describe('values decide, and not presence:', () => {
  test('a day of leaving that is to come keeps the member until then', async () => {
    register().update(5, { deleted_at: inDays(1) });
    register().update(6, { deleted_at: inDays(1).slice(0, 10) });
    register().update(7, { deleted_at: inDays(-1) });
    register().update(8, { deleted_at: inDays(0).slice(0, 10) });
    expect(await world.sync()).toMatchObject({ body: { status: 'success', members_removed: 2 } });
    expect(await world.active()).toEqual(without(7, 8));
  });

  test('whether the day has come is for the database to say, not for a clock that is days ahead', async () => {
    register().update(5, { deleted_at: inDays(1) });
    register().update(7, { deleted_at: inDays(-1) });
    const real = Date.now;
    const clock = jest.spyOn(Date, 'now').mockImplementation(() => real() + 2 * 86_400_000);
    try {
      expect(await world.run()).toMatchObject({ members_removed: 1 });
    } finally {
      clock.mockRestore();
    }
    expect(await world.active()).toEqual(without(7));
  });

  test.each([0, false, true, 1_700_000_000, 'yes', '31.12.2020'])(
    'deleted_at %j sets the record aside, and its member stays',
    async (value) => {
      register().update(5, { deleted_at: value as never });
      register().remove(6);
      expect(await world.sync()).toMatchObject({
        body: {
          status: 'partial',
          members_removed: 1,
          errors: [{ code: 'invalid_deleted_at', external_id: '5' }],
        },
      });
      expect(await world.active()).toEqual(without(6));
    },
  );

  test.each(['false', '0', 2, 0, null])(
    'is_active %j sets the record aside: a member stays, and a newcomer is none',
    async (value) => {
      register().update(5, { is_active: value as never });
      register().add({ id: 36, is_active: value as never });
      const { body } = await world.sync();
      expect(body).toMatchObject({ status: 'partial', members_added: 0, members_removed: 0 });
      expect(body.errors.map(({ code, external_id }) => [code, external_id]).sort()).toEqual([
        ['invalid_is_active', '36'],
        ['invalid_is_active', '5'],
      ]);
      expect(await world.active()).toEqual(all);
    },
  );

  test('bytes that are no UTF-8 set their record aside, and the others of the page go on', async () => {
    await world.reset(35);
    for (const { id } of register().list()) register().update(id, { name: `Nafn ${id}` });
    await world.sync();
    register().update(4, { phone: '5551234' });
    register().update(5, { name: 'Jón' });
    register().remove(6);
    world.django.misbehave({ kind: 'latin1', when: asksForList });
    expect(await world.sync()).toMatchObject({
      body: {
        status: 'partial',
        members_updated: 1,
        members_removed: 1,
        errors: [{ code: 'invalid_encoding', external_id: '5' }],
      },
    });
    expect(await world.active()).toEqual(without(6));
  });

  test.each([
    ['the kennitala', (one: { kennitala?: unknown }) => one.kennitala],
    ['an e-mail address', (one: { id: number }) => `felagi${one.id}@example.is`],
  ])('a record whose id is %s is refused, and named to nobody', async (_, idOf) => {
    await world.reset();
    world.django.misbehave({
      kind: 'rewrite',
      when: asksForList,
      body: (page: { results: { id: number }[] }) => ({
        ...page,
        results: page.results.map((one) => (one.id > 30 ? one : { ...one, id: idOf(one) })),
      }),
    });
    const { body, text } = await world.sync();
    expect(body).toMatchObject({
      status: 'partial',
      members_added: 5,
      error_count: 30,
      errors: expect.arrayContaining([
        {
          code: 'invalid_id',
          external_id: null,
          message: expect.stringMatching(/map another field to id in DJANGO_FIELD_MAP/),
        },
      ]),
    });
    const scheduled = await world.bundle('syncScheduled');
    const told = text + scheduled.output().join('') + JSON.stringify(await world.lastRun());
    for (const one of register().list()) expect(told).not.toContain(String(idOf(one)));
  });
});

describe('old news:', () => {
  test('a list from a cache confirms nothing and gives nobody back', async () => {
    register().remove(6);
    await world.sync();
    register().remove(7);
    register().add({ ...register().get(5), id: 6, kennitala: '0606000606' });
    await world.database.query(
      "update public.members set kennitala = '0606000606' where external_id = '6'",
    );
    world.django.behaviour.detail = false;
    world.django.clear();
    world.django.misbehave({ kind: 'old', seconds: 61, when: asksForList });
    const { body } = await world.sync();
    expect(body).toMatchObject({
      status: 'held',
      members_removed: 0,
      members_reactivated: 0,
      held: { removals: { reason: 'snapshot_incomplete' } },
      errors: [{ code: 'reactivation_unconfirmed', external_id: '6' }],
    });
    expect(walks()).toBe(3);
    expect(await world.active()).toEqual(without(6));
    world.django.clear();
    expect(await world.sync()).toMatchObject({
      body: { status: 'success', members_removed: 1, members_reactivated: 1 },
    });
  });

  test('every request asks for fresh replies, and a minute is fresh', async () => {
    register().remove(7);
    world.django.misbehave({ kind: 'old', seconds: 60 });
    expect(await world.sync()).toMatchObject({ body: { status: 'success', members_removed: 1 } });
    for (const { headers } of world.django.requests) {
      expect(headers['cache-control']).toBe('no-cache');
    }
  });

  test('an old page of the member is no confirmation; a second walk is', async () => {
    hideFromList(world.django, [7]);
    register().update(7, { is_active: false });
    world.django.misbehave({ kind: 'old', seconds: 3600, when: (one) => memberAsked(one) === '7' });
    expect(await world.sync()).toMatchObject({ body: { status: 'success', members_removed: 1 } });
    expect(walks()).toBe(2);
  });
});

describe('a member who comes back is asked about like one who leaves:', () => {
  beforeEach(async () => {
    register().remove(7);
    expect(await world.sync()).toMatchObject({ body: { members_removed: 1 } });
    register().add({ ...register().get(5), id: 7, kennitala: '0707000707', name: 'Aftur' });
    await world.database.query(
      "update public.members set kennitala = '0707000707' where external_id = '7'",
    );
    world.django.clear();
  });

  test.each(['page-number', 'cursor'] as const)('the page confirms it (%s)', async (pagination) => {
    world.django.behaviour.pagination = pagination;
    expect(await world.sync()).toMatchObject({
      body: { status: 'success', members_reactivated: 1 },
    });
    expect(asked('7')).toBe(1);
  });

  test.each<[string, () => void]>([
    [
      'does not find them',
      () =>
        void world.django.misbehave({
          kind: 'status',
          status: 404,
          body: { detail: 'Not found.' },
          when: (one) => memberAsked(one) === '7',
        }),
    ],
    [
      'says that they left',
      () =>
        void world.django.misbehave({
          kind: 'rewrite',
          when: (one) => memberAsked(one) === '7',
          body: (record: object) => ({ ...record, is_active: false }),
        }),
    ],
    [
      'fails',
      () =>
        void world.django.misbehave({
          kind: 'status',
          status: 500,
          when: (one) => memberAsked(one) === '7',
        }),
    ],
  ])('a page that %s gives nobody back', async (_, spoil) => {
    spoil();
    expect(await world.sync()).toMatchObject({
      body: {
        status: 'partial',
        members_reactivated: 0,
        errors: [{ code: 'reactivation_unconfirmed', external_id: '7' }],
      },
    });
    expect(await world.active()).toEqual(without(7));
  });

  test('who needs the kennitala of a return that is not confirmed waits with it, in a dry run too', async () => {
    const { members } = world.django;
    const { kennitala } = members.get(7) ?? {};
    await world.database.query("update public.members set name = 'Aftur' where external_id = '7'");
    members.update(7, { kennitala: '0101303019' });
    members.add({ id: 40, kennitala });
    world.django.misbehave({
      kind: 'status',
      status: 500,
      when: (one) => memberAsked(one) === '7',
    });
    const walks = () => world.django.requests.filter((one) => asksForList(one)).length;
    const expected = {
      status: 'partial',
      members_added: 0,
      members_reactivated: 0,
      errors: [
        { code: 'reactivation_unconfirmed', external_id: '7' },
        { code: 'change_waits', external_id: '40' },
      ],
    };
    expect((await world.post('syncDryRun')).body).toMatchObject(expected);
    const before = walks();
    expect((await world.sync()).body).toMatchObject(expected);
    // Nobody else wrote a row, so there is no reason to plan again.
    expect(walks() - before).toBeLessThan(10);
    expect(await world.active()).toEqual(without(7));
  });

  test('where nobody has a page the list counts', async () => {
    world.django.behaviour.detail = false;
    expect(await world.sync()).toMatchObject({
      body: { status: 'success', members_reactivated: 1 },
    });
  });
});

// A page that everybody gets says nothing of anybody, so a second walk confirms instead.
describe('pages of members that say nothing:', () => {
  const everyPage = {
    when: (one: Parameters<typeof memberAsked>[0]) => memberAsked(one) !== undefined,
  };
  test.each<[string, () => void]>([
    ...[401, 403, 404, 405, 410, 500].map((status): [string, () => void] => [
      `${status} in the words of the API`,
      () =>
        void world.django.misbehave({
          kind: 'status',
          status,
          body: { detail: 'No.' },
          ...everyPage,
        }),
    ]),
    [
      "404 in a gateway's JSON",
      () =>
        void world.django.misbehave({
          kind: 'status',
          status: 404,
          body: { message: 'no Route matched with those values' },
          ...everyPage,
        }),
    ],
    ['404 in HTML', () => void world.django.misbehave({ kind: 'html', status: 404, ...everyPage })],
    ['a login form', () => void world.django.misbehave({ kind: 'html', ...everyPage })],
    [
      'a list',
      () =>
        void world.django.misbehave({
          kind: 'rewrite',
          body: () => ({ count: 1, next: null, results: [register().get(1)] }),
          ...everyPage,
        }),
    ],
    [
      'the first member for every id',
      () =>
        void world.django.misbehave({
          kind: 'status',
          status: 200,
          body: register().get(1),
          ...everyPage,
        }),
    ],
    [
      'the last member for every id',
      () =>
        void world.django.misbehave({
          kind: 'status',
          status: 200,
          body: register().get(35),
          ...everyPage,
        }),
    ],
    [
      'a record that is not active for every id',
      () =>
        void world.django.misbehave({
          kind: 'rewrite',
          body: (record: object) => ({ ...record, is_active: false }),
          ...everyPage,
        }),
    ],
    ['an old page', () => void world.django.misbehave({ kind: 'old', seconds: 999, ...everyPage })],
  ])('when everybody gets %s, a second walk confirms', async (_, spoil) => {
    // 20 has left. 7 is not in the list of the first walk.
    register().remove(20);
    hideFromList(world.django, [7], () => walks() === 1);
    spoil();
    const { body } = await world.sync();
    expect(body).toMatchObject({ status: 'success', members_removed: 1, removals_unconfirmed: 0 });
    expect(await world.active()).toEqual(without(20));
  });

  test('410 in the words of the API is gone', async () => {
    register().remove(7);
    world.django.misbehave({
      kind: 'status',
      status: 410,
      body: { detail: 'Gone.' },
      when: (one) => memberAsked(one) === '7',
    });
    expect(await world.sync()).toMatchObject({ body: { status: 'success', members_removed: 1 } });
    expect(walks()).toBe(1);
  });

  test('where the page of a leaver redirects elsewhere, a second walk confirms', async () => {
    register().remove(20);
    hideFromList(world.django, [7], () => walks() === 1);
    for (const id of ['7', '20']) {
      const when = (one: Parameters<typeof memberAsked>[0]) => memberAsked(one) === id;
      world.django.misbehave({ kind: 'redirect', location: '/api/members/99999/', when });
    }
    expect(await world.sync()).toMatchObject({ body: { status: 'success', members_removed: 1 } });
    expect(await world.active()).toEqual(without(20));
  });

  test('one 404 takes nobody away: it is asked again', async () => {
    hideFromList(world.django, [7]);
    world.django.misbehave({
      kind: 'status',
      status: 404,
      body: { detail: 'Not found.' },
      when: (one) => memberAsked(one) === '7',
      times: 1,
    });
    expect(await world.sync()).toMatchObject({ body: { members_removed: 0, status: 'held' } });
    expect(await world.active()).toEqual(all);
  });

  test('an answer that was given is not called none', async () => {
    hideFromList(world.django, [7]);
    world.django.misbehave({
      kind: 'status',
      status: 403,
      when: (one) => memberAsked(one) === '7',
    });
    const { body } = await world.sync();
    expect(body.errors).toEqual([
      {
        code: 'removal_unconfirmed',
        external_id: '7',
        message: expect.not.stringMatching(/did not answer/),
      },
    ]);
  });
});

describe('calls for single members:', () => {
  const seven = (one: Parameters<typeof memberAsked>[0]) => memberAsked(one) === '7';
  const notFound = { kind: 'status', status: 404, body: { detail: 'Not found.' } } as const;

  test('one 404 takes nobody away', async () => {
    world.django.misbehave({ ...notFound, when: seven, times: 1 });
    expect(await world.sync({ external_ids: ['7'] })).toMatchObject({
      body: { status: 'success', members_removed: 0 },
    });
    expect(asked('7')).toBe(2);
    expect(await world.active()).toEqual(all);
  });

  test('one page that says "no member" takes nobody away', async () => {
    world.django.misbehave({
      kind: 'rewrite',
      when: seven,
      times: 1,
      body: (record: object) => ({ ...record, is_active: false }),
    });
    expect(await world.sync({ external_ids: ['7'] })).toMatchObject({
      body: { status: 'success', members_removed: 0 },
    });
  });

  test('two that agree do, after others have been found where they are', async () => {
    register().remove(7);
    expect(await world.sync({ external_ids: ['7'] })).toMatchObject({
      body: { status: 'success', members_removed: 1 },
    });
    expect([asked('7') > 1, asked('1'), asked('2')]).toEqual([true, 1, 1]);
  });

  test.each<[string, () => void, string]>([
    [
      'pages that show everybody as no member',
      () =>
        void world.django.misbehave({
          kind: 'rewrite',
          when: (one) => memberAsked(one) !== undefined,
          body: (record: object) => ({ ...record, is_active: false }),
        }),
      'removal_unconfirmed',
    ],
    [
      'a 404 for everybody',
      () =>
        void world.django.misbehave({ ...notFound, when: (one) => memberAsked(one) !== undefined }),
      'removal_unconfirmed',
    ],
    [
      'the 404 of a gateway',
      () =>
        void world.django.misbehave({ ...notFound, body: { message: 'no route' }, when: seven }),
      'removal_unconfirmed',
    ],
    ...['/login/', '/api/members/99999/', '/api/v2/members/7/'].map(
      (location): [string, () => void, string] => [
        `a redirect to ${location}, where nobody is found,`,
        () => {
          const elsewhere = (one: Parameters<typeof memberAsked>[0]) => one.path === location;
          world.django.misbehave({ ...notFound, when: elsewhere });
          world.django.misbehave({ kind: 'redirect', location, when: seven });
        },
        'removal_unconfirmed',
      ],
    ),
    [
      'an old page',
      () => void world.django.misbehave({ kind: 'old', seconds: 61, when: seven }),
      'stale_reply',
    ],
    [
      'another person',
      () =>
        void world.django.misbehave({
          kind: 'rewrite',
          when: seven,
          body: () => ({ ...register().get(8), is_active: false }),
        }),
      'another_record',
    ],
  ])('%s takes nobody away', async (_, spoil, code) => {
    spoil();
    expect(await world.sync({ external_ids: ['7'] })).toMatchObject({
      body: { status: 'partial', members_removed: 0, errors: [{ code, external_id: '7' }] },
    });
    expect(await world.active()).toEqual(all);
  });

  test('a page that has moved, as to an archive, gives no vote back', async () => {
    const record = { ...register().get(7) };
    register().remove(7);
    await world.sync();
    const location = '/api/archive/members/7/';
    world.django.misbehave({ kind: 'redirect', location, when: seven });
    world.django.misbehave({
      kind: 'status',
      status: 200,
      body: record,
      when: (one) => one.path === location,
    });
    const { body } = await world.sync({ external_ids: ['7'] });
    expect(body).toMatchObject({ members_reactivated: 0, members_added: 0 });
    expect(await world.active()).not.toContain(7);
  });

  test('an old page gives nobody back', async () => {
    await world.database.query(
      "update public.members set is_active = false, removed_at = now() where external_id = '7'",
    );
    world.django.misbehave({ kind: 'old', seconds: 61, when: seven });
    expect(await world.sync({ external_ids: ['7'] })).toMatchObject({
      body: { members_reactivated: 0, errors: [{ code: 'stale_reply', external_id: '7' }] },
    });
  });

  test('an id that nobody has is named, and the others go on', async () => {
    register().update(8, { phone: '5551234' });
    const { body } = await world.sync({ external_ids: ['999', '8'] });
    expect(body).toMatchObject({
      status: 'partial',
      members_updated: 1,
      errors: [{ code: 'unknown_id', external_id: '999' }],
    });
  });

  // The list lags behind what the call was told.
  describe('what one did is not taken back by a walk for ten minutes:', () => {
    const laterBy = (minutes: number) =>
      world.database.query(
        `update public.sync_log set finished_at = finished_at - make_interval(mins => ${minutes})
         where mode = 'selected'`,
      );
    const changed = { status: 'partial', errors: [{ code: 'just_changed', external_id: '7' }] };

    test('a removal', async () => {
      const record = { ...register().get(7) };
      register().remove(7);
      await world.sync({ external_ids: ['7'] });
      register().addRaw(record);
      expect(await world.sync()).toMatchObject({ body: { ...changed, members_reactivated: 0 } });
      expect(await world.active()).toEqual(without(7));
      // The list has a member who may not vote here.
      const said = {
        attention: [{ code: 'changes_refused', count: 1 }],
        election: { may_open: false },
      };
      expect((await world.get('syncStatus')).body).toMatchObject(said);
      await laterBy(11);
      expect(await world.sync()).toMatchObject({
        body: { status: 'success', members_reactivated: 1 },
      });
    });

    test('an addition', async () => {
      register().add({ id: 36 });
      await world.sync({ external_ids: ['36'] });
      register().remove(36);
      expect(await world.sync()).toMatchObject({
        body: { status: 'partial', members_removed: 0, errors: [{ code: 'just_changed' }] },
      });
      await laterBy(11);
      expect(await world.sync()).toMatchObject({ body: { status: 'success', members_removed: 1 } });
    });

    test('a change, but not a later one', async () => {
      const { phone } = register().get(7) ?? {};
      register().update(7, { phone: '5551234' });
      await world.sync({ external_ids: ['7'] });
      register().update(7, { phone });
      expect(await world.sync()).toMatchObject({ body: { ...changed, members_updated: 0 } });
      register().update(7, { phone: '5556789' });
      expect(await world.sync()).toMatchObject({ body: { status: 'success', members_updated: 1 } });
    });
  });
});

describe('lists that end too early:', () => {
  test('a cursor list with an early end removes nobody whose page is there', async () => {
    world.django.behaviour.pagination = 'cursor';
    world.django.misbehave({
      kind: 'rewrite',
      when: (one) => asksForList(one) && one.query['cursor'] !== undefined,
      body: (page: object) => ({ ...page, next: null }),
    });
    expect(await world.sync({}, { SYNC_LIMIT_FLOOR: '35' })).toMatchObject({
      body: {
        status: 'held',
        members_removed: 0,
        held: { removals: { reason: 'snapshot_incomplete' } },
      },
    });
    expect(await world.active()).toEqual(all);
  });

  test.each<[string, (page: object) => object]>([
    ['an empty page', (page) => ({ ...page, results: [] })],
    ['an empty last page', (page) => ({ ...page, results: [], next: null })],
    [
      'a page that does not say what follows',
      (page) => Object.fromEntries(Object.entries(page).filter(([key]) => key !== 'next')),
    ],
  ])('a cursor list with %s is a changed list', async (_, body) => {
    world.django.behaviour.pagination = 'cursor';
    world.django.misbehave({
      kind: 'rewrite',
      when: (one) => asksForList(one) && one.query['cursor'] !== undefined,
      body,
    });
    expect(await world.sync()).toMatchObject({
      body: { status: 'held', held: { removals: { reason: 'snapshot_incomplete' } } },
    });
    expect(walks()).toBe(3);
    expect(await world.active()).toEqual(all);
  });

  test('a list without a canary is no whole list, however its counts agree', async () => {
    const settings: Settings = { SYNC_CANARY_IDS: '7, 30' };
    expect(await world.sync({}, settings)).toMatchObject({ body: { status: 'success' } });
    // Neither the list nor the pages show 7 and 8 to this key.
    register().remove(7);
    register().remove(8);
    expect(await world.sync({}, settings)).toMatchObject({
      body: {
        status: 'held',
        members_removed: 0,
        held: { removals: { reason: 'snapshot_incomplete' } },
      },
    });
    expect((await world.lastRun()).details.snapshot).toMatchObject({
      complete: false,
      canaries_missing: ['7'],
      mismatches: [expect.stringMatching(/SYNC_CANARY_IDS 7 /)],
    });
    expect(await world.active()).toEqual(all);
    expect(await world.sync()).toMatchObject({ body: { status: 'success', members_removed: 2 } });
  });

  test('nor is the second walk, where that confirms', async () => {
    world.django.behaviour.detail = false;
    register().remove(8);
    onPage(world.django, (page, walk) => {
      if (walk === 2 && page === 1) register().remove(7);
    });
    expect(await world.sync({}, { SYNC_CANARY_IDS: '7' })).toMatchObject({
      body: { status: 'partial', members_removed: 0, removals_unconfirmed: 1 },
    });
  });
});

describe('other registers:', () => {
  test('a whole list that says nothing of its end has leavers, in whatever order it comes', async () => {
    let answers = 0;
    world.django.misbehave({
      kind: 'rewrite',
      when: asksForList,
      body: () => (answers++ % 2 ? register().list() : [...register().list()].reverse()),
    });
    register().remove(20);
    expect(await world.sync()).toMatchObject({ body: { status: 'success', members_removed: 1 } });
    expect(answers).toBe(2);
    expect(await world.active()).toEqual(without(20));
  });

  test.each<[string, Settings]>([
    ['as it is configured', { DJANGO_MEMBERS_PATH: '/api/members' }],
    ['with Basic', { DJANGO_MEMBERS_PATH: '/api/members', DJANGO_AUTH_SCHEME: 'Basic' }],
  ])(
    'one without trailing slashes works for the list and for single members, %s',
    async (_, more) => {
      const isBasic = more['DJANGO_AUTH_SCHEME'] === 'Basic';
      const key = isBasic ? 'sync:lykill með bili' : world.django.behaviour.key;
      const before = world.django.behaviour.key;
      Object.assign(world.django.behaviour, {
        trailingSlash: false,
        key,
        scheme: isBasic ? 'Basic' : 'Bearer',
      });
      const settings = { ...more, DJANGO_API_KEY: key };
      register().remove(7);
      expect(await world.sync({}, settings)).toMatchObject({
        body: { status: 'success', members_removed: 1 },
      });
      expect(walks()).toBe(0);
      register().update(8, { phone: '5551234' });
      register().remove(9);
      expect(await world.sync({ external_ids: ['8', '9'] }, settings)).toMatchObject({
        body: { status: 'success', members_updated: 1, members_removed: 1 },
      });
      expect(await world.active()).toEqual(without(7, 9));
      world.django.behaviour.key = before;
    },
  );
});

describe('what is large or slow:', () => {
  test('pages of members that hang leave the rest of the run its time', async () => {
    register().remove(7);
    register().add({ id: 36 });
    world.django.misbehave({ kind: 'hang', when: (one) => memberAsked(one) !== undefined });
    const { status, body } = await world.sync({}, { CLOUD_RUN_TIMEOUT_SECONDS: '12' });
    expect(status).toBe(200);
    // The second walk confirms: the list is there.
    expect(body).toMatchObject({ status: 'success', members_added: 1, members_removed: 1 });
  });

  test('and so does a register that hangs altogether once it is asked about single members', async () => {
    register().remove(7);
    register().add({ id: 36 });
    world.django.misbehave({
      kind: 'hang',
      when: (one) => memberAsked(one) !== undefined || walks() > 1,
    });
    const { status, body } = await world.sync({}, { CLOUD_RUN_TIMEOUT_SECONDS: '12' });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      status: 'partial',
      members_added: 1,
      members_removed: 0,
      removals_unconfirmed: 1,
    });
  });

  test('hostile pages end the run, and not the process', async () => {
    const settings = { DJANGO_CONCURRENCY: '8', NODE_OPTIONS: '--max-old-space-size=128' };
    const scheduled = await world.bundle('syncScheduled', settings);
    const filler = 'x'.repeat(40 << 20);
    const end = world.django.misbehave({
      kind: 'rewrite',
      when: (one) => asksForList(one) && one.query['page'] !== undefined,
      body: (page: { results: object[] }) => ({ ...page, filler }),
    });
    expect(await world.sync({}, settings)).toMatchObject({
      status: 502,
      body: {
        error: { code: 'django_invalid_response', message: expect.stringMatching(/MiB at once/) },
      },
    });
    end();
    world.django.misbehave({
      kind: 'rewrite',
      when: asksForList,
      body: () => Array(5_000_000).fill({}),
    });
    expect(await world.sync({}, settings)).toMatchObject({
      status: 502,
      body: { error: { code: 'django_invalid_response' } },
    });
    world.django.clear();
    expect(await world.sync({}, settings)).toMatchObject({ body: { status: 'success' } });
    expect(scheduled.process.exitCode).toBeNull();
  });

  test('warnings are one line a walk, with counts and the first hundred ids', async () => {
    for (const { id } of register().list()) register().update(id, { email: 'none' });
    const scheduled = await world.bundle('syncScheduled');
    await world.sync();
    const lines = scheduled.events().filter(({ event }) => event === 'record_warning');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({
      count: 35,
      warnings: { 'the email is no address': 35 },
      external_ids: expect.arrayContaining(['1', '35']),
    });
  });
});
