import { type Clone, createClone } from '../support/clone.ts';
import { createEmptyDatabase, createTestDatabase, type TestDatabase } from '../support/database.ts';
import { startDjango } from '../support/django.ts';

// Half a dozen processes a test, on a machine that runs other tests beside.
jest.setTimeout(180_000);

let clone: Clone;
beforeAll(async () => {
  clone = await createClone();
});

async function registerOf(members: number): Promise<Record<string, string>> {
  const { url, behaviour } = await startDjango({ members });
  return { DJANGO_BASE_URL: url, DJANGO_API_KEY: behaviour.key };
}

async function once(flags: string[], env: Record<string, string>) {
  const run = clone.start(['--once', ...flags], env);
  return { code: await run.ended, output: run.output() };
}

const countOf = async ({ query }: TestDatabase) =>
  (await query('select count(*)::int as n from public.members'))[0]?.['n'];

test('a given database is not migrated unless --migrate is said', async () => {
  const database = await createEmptyDatabase();
  const env = { DATABASE_URL: database.url, ...(await registerOf(3)) };
  const refused = await once([], env);
  expect(refused).toMatchObject({ code: 1, output: expect.stringContaining('lacks') });
  expect(refused.output).toContain('001_create_membership_tables.sql');
  expect(refused.output).toContain('npm start -- --migrate');
  expect(await database.query(`select from pg_tables where schemaname = 'public'`)).toEqual([]);

  const migrated = await once(['--migrate'], env);
  expect(migrated).toMatchObject({ code: 0, output: expect.stringContaining('applied') });
  expect(await countOf(database)).toBe(0);
});

test('a dry run comes first, and a sync only with --sync', async () => {
  const database = await createTestDatabase();
  const env = { DATABASE_URL: database.url, ...(await registerOf(3)) };
  const looked = await once([], env);
  expect(looked.code).toBe(0);
  expect(looked.output).toMatch(
    /The dry run ended with success[\s\S]* +added +3\n[\s\S]* {2}add 1: /,
  );
  expect(looked.output).toContain('Nothing was written to your database');
  expect(looked.output).not.toContain('The sync ended');
  expect(await countOf(database)).toBe(0);
  expect(await database.query('select from public.sync_log')).toEqual([]);

  const synced = await once(['--sync'], env);
  expect(synced.output).toMatch(/The dry run ended[\s\S]*The sync ended with success/);
  expect(await countOf(database)).toBe(3);
});

test('the changes that a dry run does not list are counted, all of them', async () => {
  const database = await createTestDatabase();
  const { output } = await once([], { DATABASE_URL: database.url, ...(await registerOf(130)) });
  expect(output).toMatch(/ {2}add 10: .*\n {2}and 120 more\n/);
});

test('made-up members never come into a table that has members', async () => {
  const database = await createTestDatabase();
  await once(['--sync'], { DATABASE_URL: database.url, ...(await registerOf(3)) });
  const before = await database.query('select * from public.members order by id');

  const unsaid = await once(['--sync'], { DATABASE_URL: database.url });
  expect(unsaid).toMatchObject({
    code: 1,
    output: expect.stringContaining('made-up members would go into your database'),
  });
  const said = await once(['--mock', '--sync', '--migrate'], { DATABASE_URL: database.url });
  expect(said).toMatchObject({
    code: 1,
    output: expect.stringContaining('has members. --mock takes only an empty one'),
  });
  const after = await database.query('select * from public.members order by id');
  expect(after).toEqual(before);
});

test('an empty database takes them with --mock', async () => {
  const database = await createEmptyDatabase();
  const env = { DATABASE_URL: database.url, MEMBERS: '5' };
  expect(await once(['--mock', '--migrate', '--sync'], env)).toMatchObject({ code: 0 });
  expect(await countOf(database)).toBe(5);
});

test('a database that cannot be reached is said so, without the password', async () => {
  const env = {
    DATABASE_URL: 'postgresql://u:hidden@127.0.0.1:1/members',
    ...(await registerOf(1)),
  };
  const { code, output } = await once([], env);
  expect([code, output]).toEqual([1, expect.stringContaining('Cannot connect to PostgreSQL')]);
  expect(output).not.toContain('hidden');
});
