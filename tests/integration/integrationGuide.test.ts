import { readdir, readFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import pg from 'pg';
import { Webhook } from 'standardwebhooks';
import { reasonsNotToOpen } from '../../docs/examples/checkFreshness.ts';
import { findEligible } from '../../docs/examples/eligibility.ts';
import { receiveNotifications } from '../../docs/examples/receiveNotifications.ts';
import { type Bundle, startBundle } from '../support/bundle.ts';
import { createEmptyDatabase, type TestDatabase } from '../support/database.ts';
import { onServer } from '../support/server.ts';
import { createWorld, type World } from '../support/world.ts';

const docs = join(import.meta.dirname, '../../docs');
const example = (name: string) => readFile(join(docs, 'examples', name), 'utf8');

const SECRET = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
const OLD_SECRET = `whsec_${Buffer.alloc(32, 2).toString('base64')}`;

// Who reads: a service with a database of its own, and a login that may read the members' eligibility.
let world: World;
let own: TestDatabase;
let ownPool: pg.Pool;
let reader: pg.Pool;
let receiver: Server;
let hook: string;
let syncStatus: Bundle;
const changes: unknown[] = [];
let refusesToAct = false;

beforeAll(async () => {
  [world, own] = await Promise.all([createWorld({ members: 25 }), createEmptyDatabase()]);
  await world.database.query(await example('grants.sql'));
  await world.database.query("alter role elections_reader password 'for-this-test'");
  const login = new URL(world.database.url);
  login.username = 'elections_reader';
  login.password = 'for-this-test';
  reader = new pg.Pool({ connectionString: login.href, max: 1 });
  await own.query(await example('deduplicate.sql'));
  ownPool = new pg.Pool({ connectionString: own.url, max: 2 });
  // The databases go first, and disconnect whoever is there.
  for (const pool of [reader, ownPool]) pool.on('error', () => undefined);
  receiver = receiveNotifications({
    secrets: [SECRET, OLD_SECRET],
    database: ownPool,
    onChange: async (data) => {
      if (refusesToAct) throw new Error('not now');
      changes.push(data);
    },
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  hook = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
  syncStatus = await startBundle('syncStatus', { ...world.settings, ADMIN_API_KEY: 'local' });
});
afterAll(async () => {
  receiver.closeAllConnections();
  await new Promise((resolve) => receiver.close(resolve));
  await Promise.all([reader.end(), ownPool.end()]);
  // Its database is gone already.
  for (const role of ['elections_reader', 'membership_sync', 'membership_sync_reader']) {
    await onServer(`drop role ${role}`);
  }
});
beforeEach(async () => {
  await world.reset();
  await own.query('truncate received_webhooks');
  changes.length = 0;
  refusesToAct = false;
});

const run = (secret = SECRET) =>
  world.run({}, { settings: { NOTIFY_URLS: hook, NOTIFY_SECRET: secret } });

describe('who is eligible', () => {
  test('the role reads who is eligible, as the last run left it', async () => {
    await run();
    const person = world.django.members.get(3);
    const hyphened = person?.kennitala.replace(/^(.{6})/, '$1-') ?? '';
    expect(await findEligible(reader, hyphened)).toEqual({
      name: person?.name,
      email: person?.email,
      verified_at: expect.any(Date),
    });
    world.django.members.softDelete(3);
    await run();
    expect(await findEligible(reader, hyphened)).toBeUndefined();
    world.django.members.update(3, { is_active: true, deleted_at: null });
  });

  test.each([
    'select * from public.members',
    'select * from public.sync_log',
    'select * from public.member_changes',
    "insert into public.member_eligibility (kennitala, name) values ('0000000000', 'x')",
    'delete from public.member_eligibility',
  ])('the role may do nothing else: %s', async (statement) => {
    // insufficient_privilege, or the view cannot be written at all.
    await expect(reader.query(statement)).rejects.toMatchObject({
      code: expect.stringMatching(/^(42501|55000)$/),
    });
  });
});

describe('the receiver', () => {
  test('acts upon the notification of a run', async () => {
    const result = await run();
    expect(changes).toEqual([
      expect.objectContaining({ run_id: result.run_id, members_added: 25, members_removed: 0 }),
    ]);
    expect(await world.database.query('select status from public.notification_outbox')).toEqual([
      { status: 'delivered' },
    ]);
  });

  test('takes both secrets while they are rotated', async () => {
    await run(OLD_SECRET);
    expect(changes).toHaveLength(1);
  });

  const message = (id: string, { secret = SECRET, at = new Date() } = {}) => {
    const body = JSON.stringify({ type: 'membership.synced', timestamp: at, data: { run_id: 1 } });
    return {
      body,
      headers: {
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
        'webhook-signature': new Webhook(secret).sign(id, at, body),
      },
    };
  };
  const post = async (given: { body: string; headers: Record<string, string> }) =>
    (await fetch(hook, { method: 'POST', ...given })).status;

  test('acts once upon a notification that comes twice', async () => {
    expect(await post(message('msg_1'))).toBe(204);
    expect(await post(message('msg_1'))).toBe(204);
    expect(await post(message('msg_2'))).toBe(204);
    expect(changes).toHaveLength(2);
  });

  test('gets it again when it could not act, and acts then', async () => {
    refusesToAct = true;
    await run();
    expect(changes).toEqual([]);
    refusesToAct = false;
    await world.database.query('update public.notification_outbox set next_attempt_at = now()');
    await run();
    expect(changes).toEqual([expect.objectContaining({ members_added: 25 })]);
  });

  test.each([
    { name: 'signed by someone else', given: message('msg_3', { secret: 'c3RyYW5nZXI=' }) },
    { name: 'ten minutes old', given: message('msg_4', { at: new Date(Date.now() - 600_000) }) },
    { name: 'changed on the way', given: { ...message('msg_5'), body: '{"data":{"run_id":2}}' } },
    { name: 'without a signature', given: { body: '{}', headers: {} } },
  ])('refuses one that is $name', async ({ given }) => {
    expect(await post(given)).toBe(401);
    expect(changes).toEqual([]);
  });
});

describe('before an election opens', () => {
  const reasons = (authorization = 'Bearer local') =>
    reasonsNotToOpen({ statusUrl: syncStatus.url, authorization, withinMinutes: 90 });
  const isTold = (code: string, words = '') => expect.stringMatching(`^${code}: .*${words}`);

  test('nothing speaks against it after a run that saw everybody', async () => {
    await run();
    expect(await reasons()).toEqual([]);
  });

  test('a register that was never read speaks against it', async () => {
    expect(await reasons()).toEqual([isTold('never_synced')]);
  });

  test('so do an old reading and runs that fail', async () => {
    await run();
    await world.database.query(
      `update public.sync_log set sync_timestamp = sync_timestamp - interval '100 minutes'`,
    );
    world.django.misbehave({ kind: 'status', status: 500 });
    await expect(run()).rejects.toMatchObject({ code: 'django_error' });
    expect(await reasons()).toEqual([
      isTold('failing'),
      isTold('full_run_too_old', '100 minutes ago'),
    ]);
  });

  test('so do changes that are held, and a notification that has not arrived', async () => {
    await run();
    const strict = { SYNC_LIMIT_FLOOR: '0' };
    for (const id of [1, 2, 3]) world.django.members.softDelete(id);
    const held = await world.run({}, { settings: strict });
    expect(await reasons()).toEqual([isTold('held', '3 removals')]);
    refusesToAct = true;
    await world.run(
      { approvedPlan: held.plan },
      { settings: { ...strict, NOTIFY_URLS: hook, NOTIFY_SECRET: SECRET } },
    );
    expect(await reasons()).toEqual([isTold('notifications_pending')]);
    for (const id of [1, 2, 3]) {
      world.django.members.update(id, { is_active: true, deleted_at: null });
    }
  });

  test('a row of another service does not', async () => {
    await run();
    await world.database.query(
      `insert into public.members (kennitala, name, sync_source) values ('0000000001', 'Gestur', 'hand')`,
    );
    expect(await reasons()).toEqual([]);
  });

  test('a status that may not be read does', async () => {
    expect(await reasons('Bearer wrong')).toEqual(['syncStatus answered 401']);
  });
});

test('a row that names its source is never removed, and one that does not is', async () => {
  await world.reset(5);
  await world.run();
  await world.database.query(await example('insertOwnRow.sql'), ['0101010009', 'Gestur']);
  await world.database.query(
    `insert into public.members (kennitala, name) values ('0101010008', 'Óvart')`,
  );
  await world.run();
  const rows = await world.database.query(
    `select name, is_active from public.members where name in ('Gestur', 'Óvart') order by name`,
  );
  expect(rows).toEqual([
    { name: 'Gestur', is_active: true },
    { name: 'Óvart', is_active: false },
  ]);
});

// A guide shows a part of a file further to the left.
const unindented = (text: string) => text.replace(/^ +/gm, '');

test('every piece of code in the guide is a part of an example that was run here', async () => {
  const names = await readdir(join(docs, 'examples'));
  const flat = (await Promise.all(names.map(example))).map(unindented);
  const guide = await readFile(join(docs, 'INTEGRATION.md'), 'utf8');
  const shown = [...guide.matchAll(/^```(?:ts|sql)\n([\s\S]*?)^```/gm)].map(
    ([, code = '']) => code,
  );
  expect(shown.length).toBeGreaterThan(3);
  for (const code of shown) {
    expect(flat.filter((text) => text.includes(unindented(code))).length || code).toBe(1);
  }
  const operations = await readFile(join(docs, 'OPERATIONS.md'), 'utf8');
  for (const name of names) expect(guide + operations).toContain(`examples/${name}`);
});
