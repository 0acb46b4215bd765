import { closePool } from '../../lib/database.ts';
import type { MemberRecord } from '../../local/mockDjango/people.ts';
import type { Row } from '../support/database.ts';
import { ADMIN_KEY } from '../support/http.ts';
import { createWorld, type World } from '../support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld({ members: 30 });
});
beforeEach(() => world.reset(30));
afterAll(closePool);

const ask = async (body: object): Promise<Row> => {
  const reply = await world.post('syncLogs', body);
  expect([reply.status, reply.body['error']]).toEqual([200, undefined]);
  return reply.body;
};
const refused = async (body: object) => {
  const reply = await world.post('syncLogs', body);
  const error = reply.body['error'] as Row;
  return [reply.status, error['code'], error['message']];
};
const member = async (by: object) => (await ask(by))['member'] as Row & { reason: Row };
const changes = async (by: object) => (await ask(by))['changes'] as Row[];
const kennitalaOf = (id: number) => String(world.django.members.get(id)?.kennitala);
const masked = (id: number) => `${kennitalaOf(id).slice(0, 6)}-****`;

describe('the changes of a run', () => {
  test('come newest first, a page at a time, with the run', async () => {
    const { run_id } = await world.run();
    const first = await ask({ run_id, limit: 20 });
    expect(first).toMatchObject({ run: { id: run_id, members_added: 30 } });
    const rest = await ask({ run_id, limit: 20, before: first['next_before'] });
    const all = [...(first['changes'] as Row[]), ...(rest['changes'] as Row[])];
    expect([all.length, rest['next_before']]).toEqual([30, null]);
    expect(new Set(all.map(({ external_id }) => external_id)).size).toBe(30);
    const ids = all.map(({ id }) => Number(id));
    expect(ids).toEqual([...ids].sort((a, b) => b - a));
  });

  test('say what was changed from what to what, by whom, and mask every kennitala', async () => {
    await world.run();
    const { name, email } = world.django.members.get(4) as MemberRecord;
    const old = { email, kennitala: masked(4) };
    world.django.members.update(4, { email: 'annad@felagi.example', kennitala: '0000000004' });
    const { run_id } = await world.run({ caller: 'anna@felag.example' });
    expect(await changes({ run_id })).toEqual([
      {
        id: expect.any(Number),
        changed_at: expect.stringMatching(/Z$/),
        run_id,
        sync_type: 'manual',
        action: 'update',
        external_id: '4',
        kennitala: '000000-****',
        name,
        fields: ['kennitala', 'email'],
        reason: 'the register has another kennitala for this member',
        before: old,
        after: { kennitala: '000000-****', email: 'annad@felagi.example' },
        caller: 'anna@felag.example',
        approved_by: null,
        undoes: null,
        undone_by: null,
      },
    ]);
  });

  test('say which run took them back, and which they take back', async () => {
    await world.run();
    world.django.members.update(4, { name: 'Annað Nafn' });
    const { run_id } = await world.run();
    const undo = await world.run({ undo: Number(run_id) });
    expect(await changes({ run_id })).toMatchObject([{ undone_by: undo.run_id, undoes: null }]);
    expect(await changes({ run_id: undo.run_id })).toMatchObject([{ undoes: run_id }]);
  });

  test('of a run that there never was are not found', async () => {
    expect(await refused({ run_id: 4711 })).toEqual([404, 'not_found', expect.any(String)]);
  });
});

describe('a member in words', () => {
  test('who may vote, since the run that added them, by Django id or kennitala', async () => {
    const run = await world.run();
    const byId = await member({ external_id: 4 });
    expect(byId).toEqual({
      external_id: '4',
      kennitala: masked(4),
      name: world.django.members.get(4)?.name,
      may_vote: true,
      since: expect.stringMatching(/Z$/),
      reason: {
        code: 'active',
        message: `seen in the register on ${run.timestamp.slice(0, 10)}`,
      },
    });
    const hyphened = kennitalaOf(4).replace(/^(.{6})/, '$1-');
    expect(await member({ kennitala: hyphened })).toEqual(byId);
  });

  const cases: { name: string; prepare: () => Promise<unknown>; expected: object }[] = [
    {
      name: 'left',
      prepare: async () => {
        world.django.members.softDelete(4);
        await world.run();
      },
      expected: { may_vote: false, since: expect.any(String) },
    },
    {
      name: 'suspended',
      prepare: () =>
        world.database.query("update public.members set is_active = false where external_id = '4'"),
      expected: { may_vote: false, since: null },
    },
    {
      name: 'inactive_here',
      prepare: () =>
        world.database.query(
          "update public.members set is_active = false, sync_source = 'events' where external_id = '4'",
        ),
      expected: { may_vote: false },
    },
    {
      name: 'other_source',
      prepare: () =>
        world.database.query(
          "update public.members set sync_source = 'events' where external_id = '4'",
        ),
      expected: { may_vote: true },
    },
    {
      name: 'undone',
      prepare: async () => {
        world.django.members.softDelete(4);
        const { run_id } = await world.run();
        await world.run({ undo: Number(run_id) });
      },
      expected: { may_vote: true },
    },
    {
      name: 'held',
      prepare: async () => {
        for (const id of [4, 5]) world.django.members.remove(id);
        await world.run({}, { settings: { SYNC_LIMIT_FLOOR: '1' } });
      },
      expected: { may_vote: true },
    },
    {
      name: 'set_aside',
      prepare: () => find('records_set_aside'),
      expected: { may_vote: true },
    },
    {
      name: 'removal_unconfirmed',
      prepare: () => find('removals_unconfirmed'),
      expected: { may_vote: true },
    },
  ];
  const find = (code: string) =>
    world.database.query(
      `insert into public.open_findings (code, external_id, error_code, message, run_id)
       values ($1, '4', 'invalid_name', 'the name is no text', 1)`,
      [code],
    );

  test.each(cases)('who is $name', async ({ name, prepare, expected }) => {
    await world.run();
    await prepare();
    expect(await member({ external_id: '4' })).toMatchObject({
      ...expected,
      reason: { code: name, message: expect.stringMatching(/\w/) },
    });
  });

  test('who left, in the words of what Django said', async () => {
    await world.run();
    world.django.members.remove(4);
    const { timestamp } = await world.run();
    const { reason } = await member({ external_id: '4' });
    expect(reason['message']).toBe(`not in the list; Django says 404 on ${timestamp.slice(0, 10)}`);
    expect(await changes({ external_id: '4' })).toMatchObject([
      { action: 'remove', reason: 'not in the list; Django says 404' },
      { action: 'add' },
    ]);
  });

  test('who left a register that has no pages of members, which was read twice and asked about nobody', async () => {
    const kept = world.django.members.get(5);
    await world.run();
    world.django.members.remove(4);
    // The Django id is another person's now.
    world.django.members.update(5, { kennitala: '1203894569', name: 'Allt Önnur Persóna' });
    world.django.behaviour.detail = false;
    await world.run();
    world.django.behaviour.detail = true;
    const reasons = async (by: object) =>
      (await changes(by)).filter(({ action }) => action === 'remove').map(({ reason }) => reason);
    expect(await reasons({ external_id: '4' })).toEqual(['not in the list, read twice']);
    expect(await reasons({ kennitala: String(kept?.kennitala) })).toEqual([
      'the register has the same Django id with another kennitala; the list was read twice',
    ]);
  });

  test('whom our own setting leaves out, though Django has them', async () => {
    const pattern = `^${kennitalaOf(4)}$`;
    await world.run();
    const settings = { DJANGO_EXCLUDE_KENNITALA: pattern };
    const { timestamp } = await world.run({}, { settings });
    const words = 'left out by DJANGO_EXCLUDE_KENNITALA';
    const { reason } = await member({ external_id: '4' });
    expect(reason['message']).toBe(`${words} on ${timestamp.slice(0, 10)}`);
    await world.run();
    await world.run({ externalIds: ['4'] }, { settings });
    expect((await changes({ external_id: '4' }))[0]).toMatchObject({ reason: words });
  });

  test('who left on a day, and when a run saw that', async () => {
    await world.run();
    world.django.members.update(4, { deleted_at: '2026-03-04T10:00:00Z' });
    const { timestamp } = await world.run();
    const { reason } = await member({ external_id: '4' });
    expect(reason['message']).toBe(`left on 2026-03-04; removed here on ${timestamp.slice(0, 10)}`);
  });

  test('the very person of a kennitala, also where the Django id is somebody else’s by now', async () => {
    const old = kennitalaOf(5);
    await world.run();
    world.django.members.update(5, { kennitala: '1203894569', name: 'Allt Önnur Persóna' });
    await world.sync();
    expect(await member({ kennitala: old })).toMatchObject({
      kennitala: `${old.slice(0, 6)}-****`,
      may_vote: false,
      reason: { code: 'left' },
    });
    expect(await member({ kennitala: '1203894569' })).toMatchObject({ may_vote: true });
  });

  test('that a removal waits, of a row without a Django id as well', async () => {
    const kennitala = kennitalaOf(3);
    await world.run();
    await world.database.query(
      `update public.members set external_id = null where external_id = '3'`,
    );
    for (let id = 1; id <= 12; id += 1) world.django.members.remove(id);
    expect((await world.sync()).body).toMatchObject({ status: 'held' });
    expect(await member({ kennitala })).toMatchObject({ reason: { code: 'held' } });
  });

  test('who is not here yet because the addition is held, by kennitala too', async () => {
    await world.run();
    for (const id of [101, 102]) world.django.members.add({ id });
    await world.run({}, { settings: { SYNC_LIMIT_FLOOR: '0', SYNC_MAX_ADDITIONS: '1' } });
    const expected = {
      external_id: '101',
      kennitala: '000000-****',
      name: null,
      may_vote: false,
      reason: { code: 'held', message: expect.stringContaining('limit_exceeded') },
    };
    expect(await member({ external_id: '101' })).toMatchObject(expected);
    expect(await member({ kennitala: kennitalaOf(101) })).toMatchObject(expected);
    await world.run();
    expect(await member({ external_id: '101' })).toMatchObject({ reason: { code: 'active' } });
  });

  test('the newcomer who waits under the Django id of somebody who has left, and the one who has left', async () => {
    const [gone, new101] = [kennitalaOf(5), '1203894569'];
    await world.run();
    world.django.members.update(5, { kennitala: new101, name: 'Allt Önnur Persóna' });
    const settings = { SYNC_LIMIT_FLOOR: '1', SYNC_MAX_ADDITIONS: '1' };
    world.django.members.add({ id: 101 });
    expect(await world.run({}, { settings })).toMatchObject({ status: 'held', members_removed: 1 });
    const waits = {
      name: null,
      may_vote: false,
      kennitala: '120389-****',
      reason: { code: 'held' },
    };
    expect(await member({ kennitala: new101 })).toMatchObject({ ...waits, external_id: '5' });
    expect(await member({ external_id: '5' })).toMatchObject({ ...waits, external_id: '5' });
    expect(await member({ kennitala: gone })).toMatchObject({
      kennitala: `${gone.slice(0, 6)}-****`,
      may_vote: false,
      reason: { code: 'left' },
    });
  });

  test('another kennitala, which has no vote until it is approved, while the old one has it', async () => {
    const old = kennitalaOf(5);
    await world.run();
    world.django.members.update(5, { kennitala: '1203894569' });
    const settings = { SYNC_LIMIT_FLOOR: '0', SYNC_MAX_KENNITALA_CHANGES: '0' };
    expect(await world.run({}, { settings })).toMatchObject({ status: 'held' });
    expect(await member({ kennitala: '1203894569' })).toMatchObject({
      kennitala: '120389-****',
      may_vote: false,
      reason: { code: 'held', message: expect.stringContaining('another one') },
    });
    for (const asked of [{ kennitala: old }, { external_id: '5' }]) {
      expect(await member(asked)).toMatchObject({
        kennitala: `${old.slice(0, 6)}-****`,
        may_vote: true,
        reason: { code: 'held' },
      });
    }
  });

  test('a newcomer who was taken back and is asked for under another kennitala', async () => {
    await world.run();
    world.django.members.add({ id: 101 });
    const { run_id } = await world.run();
    await world.run({ undo: run_id ?? undefined });
    world.django.members.update(101, { kennitala: '1203894569' });
    expect(await world.run()).toMatchObject({ status: 'held' });
    expect(await member({ kennitala: '1203894569' })).toMatchObject({
      may_vote: false,
      reason: { code: 'undone' },
    });
  });

  test('who is unknown here', async () => {
    await world.run();
    const nobody = { name: null, may_vote: false, since: null, reason: { code: 'unknown' } };
    expect(await ask({ external_id: '4711' })).toMatchObject({
      member: { ...nobody, external_id: '4711', kennitala: null },
      changes: [],
      next_before: null,
    });
    expect(await member({ kennitala: '010130-2989' })).toMatchObject({
      ...nobody,
      external_id: null,
      kennitala: '010130-****',
    });
  });

  test('has a history, newest first, which can be narrowed to some days', async () => {
    await world.run();
    world.django.members.update(4, { name: 'Annað Nafn' });
    const { timestamp } = await world.run();
    const today = timestamp.slice(0, 10);
    const actions = async (more = {}) =>
      (await changes({ external_id: '4', ...more })).map(({ action }) => action);
    expect(await actions()).toEqual(['update', 'add']);
    expect(await actions({ from: today, to: today })).toEqual(['update', 'add']);
    expect(await actions({ to: '2020-01-01' })).toEqual([]);
    const first = await ask({ external_id: '4', limit: 1 });
    expect(await actions({ before: first['next_before'] })).toEqual(['add']);
  });

  test('is not looked at unseen: the log names the caller and the Django id, and nothing else', async () => {
    await world.run();
    const { output } = await world.bundle('syncLogs');
    await ask({ kennitala: kennitalaOf(4) });
    const line = output().findLast((text) => text.includes('member_read')) ?? '{}';
    expect(JSON.parse(line)).toMatchObject({
      severity: 'NOTICE',
      event: 'member_read',
      caller: 'admin-key',
      external_id: '4',
    });
    expect(output().join('')).not.toContain(kennitalaOf(4));
  });

  test('is asked for by kennitala in a body only, and answered to no cache', async () => {
    const url = `syncLogs?kennitala=${kennitalaOf(4)}`;
    for (const { status, text } of [await world.get(url), await world.post(url, {})]) {
      expect(status).toBe(400);
      expect(text).toContain('kennitala is taken in the body of a POST only');
      expect(text).not.toContain(kennitalaOf(4));
    }
    const reply = await world.post('syncLogs', { kennitala: kennitalaOf(4) });
    expect(reply.headers.get('cache-control')).toBe('no-store');
    expect(reply.text).not.toContain(kennitalaOf(4));
  });

  test.each([
    ['a kennitala', '010130-2989', 'looks like a kennitala'],
    ['one among letters', 'kt:0101302989', 'looks like a kennitala'],
    ['a name', 'Jóna Jónsdóttir', 'a name'],
    ['an address', 'jona@felagi.example', 'an e-mail address'],
    ['what the database cannot hold', '4\0', 'control characters'],
  ])('is not found by %s that is given as an id', async (_name, id, says) => {
    expect(await refused({ external_id: id })).toEqual([
      400,
      'invalid_request',
      expect.stringContaining(says),
    ]);
  });
});

describe('the runs', () => {
  const ids = async (by: object) => ((await ask(by))['logs'] as Row[]).map(({ id }) => id);

  test('can be narrowed to some days, and to those of one caller or approver', async () => {
    const rows = await world.database.query<{ id: number }>(
      `insert into public.sync_log (sync_type, status, sync_timestamp, details) values
        ('manual', 'success', '2026-01-01 23:59:59.9', '{"caller":"anna@felag.example"}'),
        ('manual', 'success', '2026-01-02', '{"caller":"Anna@felag.example via page"}'),
        ('manual', 'success', '2026-01-03', '{"caller":"x","approved_by":"anna@felag.example"}'),
        ('manual', 'success', '2026-01-04', '{"caller":"anna@felag.example.org"}') returning id`,
    );
    const [a, b, c, d] = rows.map(({ id }) => id);
    expect(await ids({ caller: 'anna@felag.example' })).toEqual([c, b, a]);
    expect(await ids({ from: '2026-01-02' })).toEqual([d, c, b]);
    expect(await ids({ from: '2026-01-01', to: '2026-01-01' })).toEqual([a]);
    expect(await ids({ caller: 'x', to: '2026-01-03' })).toEqual([c]);
  });

  test.each([
    [{ run_id: 1, external_id: '2' }, 'run_id and external_id do not go together'],
    [{ run_id: 1, status: 'held' }, 'run_id and status do not go together'],
    [{ run_id: 1, from: '2026-01-01' }, 'run_id and from do not go together'],
    [{ external_id: '1', caller: 'x' }, 'external_id and caller do not go together'],
    [{ from: '2026-01-02', to: '2026-01-01' }, 'from is after to'],
    [{ from: '2026-02-30' }, 'from'],
    [{ limit: 201 }, 'at most 200'],
    [{ before: 2 ** 31 }, 'before'],
    [{ kennitala: '12' }, 'must be ten digits'],
  ])('%j is refused', async (body, words) => {
    expect(await refused(body)).toEqual([400, 'invalid_request', expect.stringContaining(words)]);
  });
});

describe('a table', () => {
  // fetch takes the byte order mark out of a text.
  const csv = async (body: object): Promise<string> => {
    const { url } = await world.bundle('syncLogs');
    const response = await fetch(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify({ format: 'csv', ...body }),
    });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    return Buffer.from(await response.arrayBuffer()).toString();
  };

  test('of the runs opens in a spreadsheet of either language', async () => {
    const { run_id } = await world.run({ caller: 'anna@felag.example' });
    const text = await csv({});
    expect(text.charCodeAt(0)).toBe(0xfeff);
    const [head, line] = text.slice(1).split('\r\n');
    expect(head).toMatch(/^id;sync_timestamp;.*;caller;approved_by;undo;error$/);
    expect(line).toMatch(new RegExp(`^${run_id};.*;success;30;30;.*;anna@felag.example;;;$`));
    expect(await csv({ language: 'en' })).toMatch(/^\ufeffid,sync_timestamp,/);
  });

  test('of changes makes nothing that a spreadsheet would run', async () => {
    await world.run();
    world.django.members.update(4, { name: '=HYPERLINK("http://x";"y")', phone: '+3545551234' });
    const { run_id } = await world.run();
    expect(await csv({ run_id })).toContain(`;4;${masked(4)};"'=HYPERLINK(""http://x"";""y"")";`);
    expect((await csv({ external_id: '4' })).trim().split('\r\n')).toHaveLength(3);
  });
});
