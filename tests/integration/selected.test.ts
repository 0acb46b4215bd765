import type { MemberRecord } from '../../local/mockDjango/people.ts';
import { type Bundle, startBundle } from '../support/bundle.ts';
import type { Row } from '../support/database.ts';
import { type Receiver, startReceiver } from '../support/receiver.ts';
import { createWorld, type World } from '../support/world.ts';

let world: World;
let receiver: Receiver;
let scheduled: Bundle;
let dryRun: Bundle;
let original: MemberRecord[];
beforeAll(async () => {
  world = await createWorld({ members: 30 });
  original = [...world.django.members.list()];
  receiver = await startReceiver();
  const environment = {
    ...world.settings,
    ADMIN_API_KEY: 'local',
    SYNC_LIMIT_FLOOR: '3',
    NOTIFY_URLS: receiver.url,
    NOTIFY_SECRET: `whsec_${Buffer.alloc(32, 1).toString('base64')}`,
  };
  [scheduled, dryRun] = await Promise.all([
    startBundle('syncScheduled', environment),
    startBundle('syncDryRun', environment),
  ]);
});
// Every test starts with a register and members that agree.
beforeEach(async () => {
  await world.reset();
  for (const { id } of [...world.django.members.list()]) world.django.members.remove(id);
  for (const record of original) world.django.members.addRaw(record);
  await world.run();
  world.django.clear();
  receiver.arrivals.length = 0;
});

const post = async (body: unknown, { url } = scheduled) => {
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization: 'Bearer local', 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Row };
};
const member = async (externalId: number | string) => {
  const [row] = await world.database.query('select * from public.members where external_id = $1', [
    String(externalId),
  ]);
  return row;
};
const activeIds = async () => {
  const rows = await world.database.query<{ id: number }>(
    'select external_id::int as id from public.members where is_active order by 1',
  );
  return rows.map(({ id }) => id);
};
const everyone = Array.from({ length: 30 }, (_, index) => index + 1);
const without = (...ids: number[]) => everyone.filter((id) => !ids.includes(id));
const unchanged = {
  members_added: 0,
  members_updated: 0,
  members_reactivated: 0,
  members_removed: 0,
};

describe('one member now', () => {
  test('a new member is in when the call is answered', async () => {
    const { id, kennitala } = world.django.members.add({ name: 'Nýja Prófdóttir' });
    const { status, body } = await post({ external_ids: [String(id)] });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      ...unchanged,
      sync_type: 'webhook',
      mode: 'selected',
      status: 'success',
      members_fetched: 1,
      members_added: 1,
      members_verified: 0,
    });
    expect(await member(id)).toMatchObject({ kennitala, is_active: true, name: 'Nýja Prófdóttir' });
    // Nothing but that member was asked for.
    expect(world.django.requests.map(({ path }) => path)).toEqual([`/api/members/${id}/`]);
  });

  test('a change is taken over and leaves its audit row and its notification', async () => {
    world.django.members.update(4, { email: 'nytt.netfang@felagi.example' });
    const { body } = await post({ external_ids: ['4', '5'] });
    expect(body).toMatchObject({ ...unchanged, members_updated: 1, members_verified: 2 });
    expect(await member(4)).toMatchObject({ email: 'nytt.netfang@felagi.example' });
    const audit = await world.database.query(
      'select action, fields from public.member_changes where run_id = $1',
      [body['run_id']],
    );
    expect(audit).toEqual([{ action: 'update', fields: ['email'] }]);
    expect(receiver.arrivals.map((arrival) => JSON.parse(arrival.body).data)).toEqual([
      { ...unchanged, run_id: body['run_id'], sync_type: 'webhook', members_updated: 1 },
    ]);
  });

  test('whom the register does not know any more is removed, and comes back when it does', async () => {
    world.django.members.remove(7);
    expect((await post({ external_ids: ['7'] })).body).toMatchObject({
      ...unchanged,
      status: 'success',
      members_removed: 1,
    });
    expect(await activeIds()).toEqual(without(7));
    world.django.members.addRaw(original[6] as MemberRecord);
    expect((await post({ external_ids: ['7'] })).body).toMatchObject({
      ...unchanged,
      members_reactivated: 1,
    });
    expect(await member(7)).toMatchObject({ is_active: true, removed_at: null });
  });

  test('whom the register says is no member is removed', async () => {
    world.django.members.softDelete(8);
    world.django.members.update(9, { is_active: false });
    const { body } = await post({ external_ids: ['8', '9', '10'] });
    expect(body).toMatchObject({ ...unchanged, members_removed: 2, members_verified: 1 });
    expect(await activeIds()).toEqual(without(8, 9));
  });

  test('another sync_type can be given', async () => {
    const { body } = await post({ external_ids: ['1'], sync_type: 'manual' });
    expect(body).toMatchObject({ ...unchanged, sync_type: 'manual' });
  });

  test('a member named twice, as text and as a number, is asked for once', async () => {
    world.django.members.update(3, { name: 'Annað Prófnafn' });
    const { body } = await post({ external_ids: ['3', 3, '3'] });
    expect(body).toMatchObject({ ...unchanged, members_fetched: 1, members_updated: 1 });
    expect(world.django.requests).toHaveLength(1);
  });

  test('an id that nobody has ever had changes nothing, and is named', async () => {
    const { status, body } = await post({ external_ids: ['99999'] });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      ...unchanged,
      status: 'partial',
      errors: [{ code: 'unknown_id', external_id: '99999' }],
    });
  });

  test('the others are neither touched nor counted as verified', async () => {
    const before = await world.database.query(
      'select * from public.members where external_id <> $1 order by id',
      ['5'],
    );
    world.django.members.update(6, { name: 'Ekki Spurt' });
    await post({ external_ids: ['5'] });
    const after = await world.database.query(
      'select * from public.members where external_id <> $1 order by id',
      ['5'],
    );
    expect(after).toEqual(before);
  });

  test('it is no walk of the register, so it does not hide that one is overdue', async () => {
    const [walk] = await world.database.query<{ due: Date }>(
      `update public.sync_log set sync_timestamp = sync_timestamp - interval '1 day'
      returning sync_timestamp at time zone 'UTC' + interval '1 hour' as due`,
    );
    await post({ external_ids: ['1'] });
    world.django.misbehave({ kind: 'status', status: 500 });
    expect((await post({ external_ids: ['1'] })).status).toBe(502);
    const syncStatus = await startBundle('syncStatus', {
      ...world.settings,
      ADMIN_API_KEY: 'local',
    });
    const ask = async () => {
      const headers = { authorization: 'Bearer local' };
      return (await (await fetch(syncStatus.url, { headers })).json()) as Row;
    };
    const overdue = { last_success: { mode: 'full' }, next_due_at: walk?.due.toISOString() };
    expect(await ask()).toMatchObject({ ...overdue, status: 'stale' });
    world.django.clear();
    await post({ external_ids: ['1'] });
    expect(await ask()).toMatchObject({
      ...overdue,
      status: 'stale',
      last_run: { mode: 'selected' },
    });
    await syncStatus.stop();
  });
});

describe('nobody is removed by mistake', () => {
  test('a register without a detail endpoint removes nobody and says so', async () => {
    world.django.behaviour.detail = false;
    const { body } = await post({ external_ids: ['1', '2'] });
    expect(body).toMatchObject({ ...unchanged, status: 'partial', error_count: 2 });
    expect(body['errors']).toEqual([
      expect.objectContaining({ code: 'removal_unconfirmed', external_id: '1' }),
      expect.objectContaining({ code: 'removal_unconfirmed', external_id: '2' }),
    ]);
    expect(await activeIds()).toEqual(everyone);
  });

  test('a register that answers with another person changes nobody, and its 404s are not believed', async () => {
    const isOne = ({ path }: { path: string }) => path === '/api/members/1/';
    world.django.misbehave({
      kind: 'rewrite',
      body: () => world.django.members.get(20),
      when: isOne,
    });
    // No member is found by id: every other answer of the detail endpoint is 404.
    world.django.misbehave({
      kind: 'status',
      status: 404,
      when: ({ path }) => /\d\/$/.test(path) && path !== '/api/members/1/',
    });
    const { body } = await post({ external_ids: ['1', '2'] });
    expect(body).toMatchObject({ ...unchanged, status: 'partial' });
    expect(body['errors']).toEqual([
      expect.objectContaining({ code: 'another_record', external_id: '1' }),
      expect.objectContaining({ code: 'removal_unconfirmed', external_id: '2' }),
    ]);
    expect(await activeIds()).toEqual(everyone);
  });

  test('a record that cannot be read leaves its member as it is', async () => {
    world.django.members.update(2, { kennitala: 12345, is_active: false });
    const { body } = await post({ external_ids: ['2'] });
    expect(body).toMatchObject({ ...unchanged, status: 'partial' });
    expect(body['errors']).toEqual([
      expect.objectContaining({ code: 'invalid_kennitala', external_id: '2' }),
    ]);
    expect(await activeIds()).toEqual(everyone);
  });

  test("a former record of a person does not remove the row that is linked to the person's new one", async () => {
    const { kennitala } = original[10] as MemberRecord;
    world.django.members.addRaw({ ...original[10], id: 500, is_active: false });
    const { body } = await post({ external_ids: ['500'] });
    expect(body).toMatchObject({ ...unchanged, status: 'success' });
    expect(await member(11)).toMatchObject({ kennitala, is_active: true });
  });

  test('two records with one kennitala are one member and an error, as in a full run', async () => {
    const first = world.django.members.add({ name: 'Tvöfaldur Prófsson' });
    const second = world.django.members.add({ ...first, id: first.id + 1 });
    const { status, body } = await post({ external_ids: [first.id, second.id] });
    expect(status).toBe(200);
    expect(body).toMatchObject({ ...unchanged, status: 'partial', members_added: 1 });
    expect(body['errors']).toEqual([
      expect.objectContaining({ code: 'duplicate_kennitala', external_id: String(second.id) }),
    ]);
  });

  test('a register that fails fails the run, which changes nothing', async () => {
    world.django.members.remove(1);
    world.django.misbehave({
      kind: 'status',
      status: 500,
      when: ({ path }) => path.endsWith('/2/'),
    });
    const { status, body } = await post({ external_ids: ['1', '2'] });
    expect(status).toBe(502);
    expect(body).toEqual({ error: expect.objectContaining({ code: 'django_error' }) });
    expect(await activeIds()).toEqual(everyone);
  });

  test('removals one by one meet the limit of the window, and an admin can approve what is held', async () => {
    for (const id of [21, 22, 23, 24]) world.django.members.remove(id);
    for (const id of [21, 22, 23]) {
      expect((await post({ external_ids: [id] })).body).toMatchObject({ members_removed: 1 });
    }
    const fourth = await post({ external_ids: [24] });
    expect(fourth.status).toBe(200);
    expect(fourth.body).toMatchObject({
      ...unchanged,
      status: 'held',
      held: { removals: { count: 1, limit: 3, reason: 'window_limit_exceeded' } },
    });
    expect(await activeIds()).toEqual(without(21, 22, 23));

    const look = await post({ external_ids: [24] }, dryRun);
    expect(look.body).toMatchObject({
      dry_run: true,
      status: 'held',
      plan: fourth.body['plan'],
      changes: [{ action: 'remove', external_id: '24', held: 'window_limit_exceeded' }],
    });
    const approved = await post({ external_ids: [24], plan: look.body['plan'] });
    expect(approved.body).toMatchObject({ status: 'success', members_removed: 1 });
    expect(await activeIds()).toEqual(without(21, 22, 23, 24));
  });

  test('many at once meet the limit of one run', async () => {
    for (const id of [21, 22, 23, 24]) world.django.members.remove(id);
    const { body } = await post({ external_ids: [21, 22, 23, 24] });
    expect(body).toMatchObject({
      ...unchanged,
      held: { removals: { count: 4, limit: 3, reason: 'limit_exceeded' } },
    });
  });
});

describe('what is refused', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => String(index + 1));
  const cases: { name: string; body: unknown; message: string }[] = [
    {
      name: 'more than a hundred',
      body: { external_ids: [...hundred, '101'] },
      message: 'external_ids: Too big: expected array to have <=100 items.',
    },
    {
      name: 'none',
      body: { external_ids: [] },
      message: 'external_ids: Too small: expected array to have >=1 items.',
    },
    {
      name: 'an id that is neither text nor a whole number',
      body: { external_ids: ['1', true] },
      message: 'external_ids.1: must be text of 1 to 255 characters or a whole number.',
    },
    {
      name: 'a broken number',
      body: { external_ids: [1.5] },
      message: 'external_ids.0: must be text of 1 to 255 characters or a whole number.',
    },
    {
      name: 'an empty id',
      body: { external_ids: [''] },
      message: 'external_ids.0: Too small: expected string to have >=1 characters.',
    },
    {
      name: 'no list',
      body: { external_ids: '1' },
      message: 'external_ids: Invalid input: expected array, received string.',
    },
    {
      name: 'a release without members',
      body: { release: true },
      message: 'release needs external_ids, the members to release.',
    },
    {
      name: 'an id that is no part of a path',
      body: { external_ids: ['../users'] },
      message:
        'This member cannot be asked for by its Django id: the id does not fit in a URL path.',
    },
  ];
  test.each(cases)('$name', async ({ body, message }) => {
    const answer = await post(body);
    expect(answer.status).toBe(400);
    expect(answer.body['error']).toMatchObject({ code: 'invalid_request', message });
    expect(world.django.requests).toEqual([]);
    expect(await activeIds()).toEqual(everyone);
  });

  test('a hundred are fine', async () => {
    const { status, body } = await post({ external_ids: hundred });
    expect(status).toBe(200);
    expect(body).toMatchObject({ ...unchanged, members_fetched: 30, members_verified: 30 });
  });
});
