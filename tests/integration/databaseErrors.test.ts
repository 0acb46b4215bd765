import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { readStatus } from '../../functions/status/status.ts';
import { closePool } from '../../lib/database.ts';
import { toSyncError } from '../../lib/databaseErrors.ts';
import { fixedCredential } from '../../lib/secrets.ts';
import { createEmptyDatabase, createTestDatabase, type TestDatabase } from '../support/database.ts';
import { onServer } from '../support/server.ts';
import { createWorld, type World } from '../support/world.ts';

// What an admin is told when the real server, or the way to it, is not as it should be.
let world: World;
let database: TestDatabase;
beforeAll(async () => {
  world = await createWorld({ members: 3 });
  database = await createTestDatabase();
});
afterEach(closePool);

const running = new AbortController().signal;
const told = (error: unknown) => toSyncError(error, running);
const status = (url: string) =>
  readStatus(fixedCredential(url), { intervalMinutes: 60, withinMinutes: 60 }).then(
    () => undefined,
    told,
  );
const run = (url: string) =>
  world.run({}, { settings: { DATABASE_URL: url } }).then(() => undefined, told);

/** The same database under another address. */
function addressed(change: (url: URL) => void): string {
  const url = new URL(database.url);
  change(url);
  return url.href;
}

async function roleWith(name: string, rights: string): Promise<string> {
  await database.query(`create role ${name} login password 'of-a-test' ${rights}`);
  return addressed((url) => {
    url.username = name;
    url.password = 'of-a-test';
  });
}

afterAll(async () => {
  for (const role of ['without_rights', 'one_too_many']) {
    await onServer(`drop role if exists ${role}`);
  }
});

test.each([
  {
    name: 'a database that does not exist',
    url: () =>
      addressed((url) => {
        url.pathname = '/no_such_database';
      }),
    says: /^There is no such database: .*\(3D000\)\.$/,
  },
  {
    name: 'a port where nobody listens',
    url: async () =>
      addressed((url) => {
        url.port = '1';
      }),
    says: /is it running.*\(ECONNREFUSED\)\.$/,
  },
  {
    name: 'an instance that is not attached',
    url: () => 'postgresql://hanna:secret@/members?host=/cloudsql/project:region:instance',
    says: /step cloudsql of deploy\.sh.*\(ENOENT\)\.$/,
  },
  {
    name: 'a user without rights',
    url: () => roleWith('without_rights', ''),
    says: /lacks a right on (?:view member_sightings|table sync_log): .*\(42501\)\.$/,
  },
  {
    name: 'too many connections',
    url: () => roleWith('one_too_many', 'connection limit 0'),
    says: /too many connections.*\(53300\)\.$/,
  },
  {
    name: 'a database without our tables',
    url: async () => (await createEmptyDatabase()).url,
    says: /npm run migrate.*\(42P01\)\.$/,
  },
])('$name is told as such, to who asks for the status and to who runs', async ({ url, says }) => {
  const address = await url();
  for (const error of [await status(address), await run(address)]) {
    expect(error?.code).toBe('database_unavailable');
    expect(error?.message).toMatch(says);
    expect(error?.message).not.toMatch(/hanna|secret@|no_such|127\.0\.0\.1|project:region/);
  }
});

test('a replica is told as such to who runs, and its status can be read', async () => {
  const readOnly = addressed((url) => {
    url.searchParams.set('options', '-c default_transaction_read_only=on');
  });
  expect(await status(readOnly)).toBeUndefined();
  const error = await run(readOnly);
  expect(error?.code).toBe('database_unavailable');
  expect(error?.message).toMatch(/read replica.*\(25006\)\.$/);
});

test('a schema that lacks a column says so', async () => {
  const old = await createTestDatabase();
  await old.query('alter table public.sync_log drop column progress');
  expect((await status(old.url))?.message).toMatch(/npm run migrate.*\(42703\)\.$/);
});

test.each([
  'alter table public.members alter column external_id type bigint using external_id::bigint',
  `create type word as enum ('django', 'a@b.is'); alter table public.members alter email type word using email::word`,
])('a column with another type says so: %s', async (statement) => {
  const changed = await createTestDatabase();
  await changed.query('drop view public.member_eligibility, public.member_sightings');
  await changed.query(statement);
  const atOnce = await run(changed.url);
  // Where that passes, nothing was here yet that a plan could be compared with.
  await changed.query(
    `update public.members set name = 'Annað Nafn' where id = (select min(id) from public.members)`,
  );
  const error = atOnce ?? (await run(changed.url));
  expect(error?.message).toMatch(/has another type than our migrations gave it/);
});

test.each([
  'alter table public.members drop constraint members_kennitala_key; alter table public.members add unique (kennitala) deferrable',
  'alter table public.members drop constraint members_kennitala_key; create unique index on public.members (kennitala) where is_active',
  'alter table public.sync_log replica identity nothing; create publication theirs for all tables',
])('what PostgreSQL cannot do because of others says so: %s', async (statement) => {
  const changed = await createTestDatabase();
  await changed.query(statement);
  const error = await run(changed.url);
  expect(error?.code).toBe('database_unavailable');
  expect(error?.message).toMatch(/unique key of members\.kennitala.*replica identity/);
});

test.each(['sync_log', 'member_changes', 'notification_outbox'])(
  'a sequence of %s that is at its end, or behind, is one error with its name',
  async (table) => {
    const full = await createTestDatabase();
    const notify = { NOTIFY_URLS: 'http://127.0.0.1:9/', NOTIFY_SECRET: 'c2VjcmV0' };
    const runThere = () =>
      world
        .run({}, { settings: { DATABASE_URL: full.url, ...notify } })
        .then(() => undefined, told);
    const sequence = `public.${table}_id_seq`;
    expect(await runThere()).toBeUndefined();
    world.django.members.add({ name: 'Ný' });
    await full.query(
      `select setval('${sequence}', 9000); alter sequence ${sequence} maxvalue 9000`,
    );
    const atEnd = await runThere();
    expect(atEnd?.code).toBe('database_unavailable');
    expect(atEnd?.message).toContain(`${table}_id_seq`);
    expect(atEnd?.message).toContain('no number left');
    await full.query(
      `alter sequence ${sequence} no maxvalue; select setval('${sequence}', 1, false)`,
    );
    const behind = await runThere();
    // Its key has the run before the number.
    if (table === 'member_changes') return expect(behind).toBeUndefined();
    expect(behind?.code).toBe('database_unavailable');
    expect(behind?.message).toMatch(/behind/);
    expect(behind?.message).toContain(table);
  },
);

const message = (type: string, ...bytes: number[]) =>
  Buffer.from([type.charCodeAt(0), 0, 0, 0, bytes.length + 4, ...bytes]);
const loggedIn = message('R', 0, 0, 0, 0);

test.each([
  { name: 'asks for a kind of login that pg does not know', says: message('R', 0, 0, 0, 7) },
  { name: 'cuts a message short', says: Buffer.concat([loggedIn, message('K', 1, 2)]) },
  { name: 'answers what was not asked', says: Buffer.concat([loggedIn, message('D', 0, 9, 1)]) },
  { name: 'reports an error without its end', says: message('E', 0x53) },
  { name: 'gives a notice without its end', says: message('N', 0x53, 0x57, 0x41, 0x52, 0x4e) },
  {
    name: 'ends a statement that nobody sent',
    says: Buffer.concat([loggedIn, message('C', 0x41, 0)]),
  },
])('a server that $name is one whose connection is lost', async ({ says }) => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined).once('data', () => socket.write(says));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const url = `postgresql://u:of-a-test@127.0.0.1:${port}/db`;
  // What is thrown where a socket is read would end this process.
  for (const error of [await status(url), await run(url)]) {
    expect(error).toMatchObject({ code: 'database_unavailable' });
    expect(error?.message).toMatch(/connection to the database was lost/);
  }
  server.close();
});
