import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { bareEnvironment } from '../support/commands.ts';
import { createEmptyDatabase, createTestDatabase, dump } from '../support/database.ts';

const root = join(import.meta.dirname, '../..');
const node = join(root, 'node_modules/.bin/node');

interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

// The real command in a process of its own, as `npm run migrate` starts it.
async function migrate(databaseUrl: string, script = 'migrations/migrate.ts'): Promise<Outcome> {
  const env = { ...bareEnvironment(), DATABASE_URL: databaseUrl };
  return promisify(execFile)(node, [resolve(root, script)], { env }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
  );
}

async function migrationNames(): Promise<string[]> {
  const files = await readdir(join(root, 'migrations'));
  return files
    .filter((file) => file.endsWith('.sql'))
    .map((file) => file.slice(0, -'.sql'.length))
    .sort();
}

// A copy of the folder with one file changed.
async function withChangedFolder(
  change: (folder: string) => Promise<void>,
  run: (script: string) => Promise<void>,
): Promise<void> {
  const project = await mkdtemp(join(tmpdir(), 'membership-sync-test-'));
  try {
    const folder = join(project, 'migrations');
    await cp(join(root, 'migrations'), folder, { recursive: true });
    for (const name of ['package.json', 'lib', 'local']) {
      await cp(join(root, name), join(project, name), { recursive: true });
    }
    await symlink(join(root, 'node_modules'), join(project, 'node_modules'));
    await change(folder);
    await run(join(folder, 'migrate.ts'));
  } finally {
    await rm(project, { recursive: true });
  }
}

test('an empty database gets every migration once, and a second run finds nothing to apply', async () => {
  const database = await createEmptyDatabase();
  const names = await migrationNames();

  const first = await migrate(database.url);
  expect(first).toEqual({
    code: 0,
    stdout: names.map((name) => `applied ${name}\n`).join(''),
    stderr: '',
  });
  expect(await migrate(database.url)).toEqual({
    code: 0,
    stdout: 'nothing to apply\n',
    stderr: '',
  });
  const rows = await database.query(
    'select name from public.membership_sync_migrations order by id',
  );
  expect(rows.map(({ name }) => name)).toEqual(names);
});

test('two that start at once both succeed, and each migration is applied by one of them', async () => {
  const database = await createEmptyDatabase();
  const outcomes = await Promise.all([migrate(database.url), migrate(database.url)]);
  expect(outcomes.map(({ code, stderr }) => [code, stderr])).toEqual([
    [0, ''],
    [0, ''],
  ]);
  const lines = outcomes.flatMap(({ stdout }) => stdout.trim().split('\n')).sort();
  const applied = (await migrationNames()).map((name) => `applied ${name}`);
  expect(lines).toEqual([...applied, 'nothing to apply'].sort());
});

test('every file runs as plain SQL, the first one twice, and the migrations then accept what it made', async () => {
  const database = await createEmptyDatabase();
  const first = await readFile(join(root, 'migrations/001_create_membership_tables.sql'), 'utf8');
  await database.query(first);
  await database.query(first);
  expect((await migrate(database.url)).code).toBe(0);
});

test('the key of the audit trail is not built again where it is as it shall be', async () => {
  const database = await createTestDatabase();
  const key = `select oid, pg_get_constraintdef(oid) as definition from pg_constraint
    where conrelid = 'public.member_changes'::regclass and contype = 'p'`;
  const before = await database.query(key);
  expect(before).toMatchObject([{ definition: 'PRIMARY KEY (run_id, id)' }]);
  const file = join(root, 'migrations/006_index_member_changes_by_run.sql');
  await database.query(await readFile(file, 'utf8'));
  expect(await database.query(key)).toEqual(before);
});

test('rows that another service wrote before us stay as they are', async () => {
  const database = await createEmptyDatabase();
  await database.query(`
    create table public.members (
      id serial primary key, kennitala varchar(10) unique not null, name varchar(255) not null,
      email varchar(255), phone varchar(20), is_active boolean default true,
      added_at timestamp default now(), removed_at timestamp,
      sync_source varchar(50) default 'django', external_id varchar(255), metadata jsonb,
      last_verified_at timestamp);
    insert into public.members (kennitala, name, sync_source, external_id, metadata)
    values ('0101302989', 'Gervimaður Útlönd', 'elections', '7', '{"voted":[1]}'),
           ('0101303019', 'Gervimaður Afríka', 'events', '7', null)`);
  const before = await dump(database.url);

  expect(await migrate(database.url)).toMatchObject({ code: 0, stderr: '' });
  const kept = await database.query(
    'select kennitala, name, sync_source, external_id, metadata, is_active from public.members order by id',
  );
  expect(kept).toEqual(
    (before['members'] ?? [])
      .map((line) => JSON.parse(line))
      .sort((a, b) => a.id - b.id)
      .map(({ kennitala, name, sync_source, external_id, metadata, is_active }) => ({
        kennitala,
        name,
        sync_source,
        external_id,
        metadata,
        is_active,
      })),
  );
});

test('the tables and indexes have exactly the columns that other services were promised', async () => {
  const database = await createTestDatabase();
  const columns = await database.query(
    `select string_agg(column_name || ' ' || data_type || coalesce('(' || character_maximum_length || ')', ''), ', ' order by ordinal_position) as list
     from information_schema.columns where table_schema = 'public' and table_name = 'members' and ordinal_position <= 12`,
  );
  expect(columns[0]?.['list']).toBe(
    'id integer, kennitala character varying(10), name character varying(255), email character varying(255), phone character varying(20), is_active boolean, added_at timestamp without time zone, removed_at timestamp without time zone, sync_source character varying(50), external_id character varying(255), metadata jsonb, last_verified_at timestamp without time zone',
  );
});

test('a migration that fails is named, rolled back, and makes the command fail', async () => {
  const database = await createEmptyDatabase();
  await withChangedFolder(
    (folder) =>
      writeFile(
        join(folder, '999_break.sql'),
        'create table public.half (id int);\nselect 1 / 0;\n',
      ),
    async (script) => {
      const { code, stdout, stderr } = await migrate(database.url, script);
      expect(code).toBe(1);
      expect(stdout).toContain('applied 001_create_membership_tables\n');
      expect(stderr).toBe('Migration 999_break failed and was rolled back: division by zero\n');
    },
  );
  expect(Object.keys(await dump(database.url))).not.toContain('half');
  expect((await migrate(database.url)).stdout).toBe('nothing to apply\n');
});

test('the line that failed is shown, and not all of the file', async () => {
  const database = await createTestDatabase();
  await withChangedFolder(
    (folder) =>
      writeFile(
        join(folder, '999_break.sql'),
        'select 1;\n  select nothing from public.members;\n',
      ),
    async (script) => {
      expect((await migrate(database.url, script)).stderr).toBe(
        'Migration 999_break failed and was rolled back: column "nothing" does not exist\n' +
          'It failed at: select nothing from public.members;\n',
      );
    },
  );
});

test('a database that is read only, and a table members that is not ours, are recognised before', async () => {
  const database = await createEmptyDatabase();
  const readOnly = `${database.url}?options=-c%20default_transaction_read_only=on`;
  expect((await migrate(readOnly)).stderr).toMatch(/^The database may only be read: .*\n$/);
  await database.query('create table public.members (id int, name text)');
  expect((await migrate(database.url)).stderr).toMatch(
    /^The table public\.members is there and is not ours: it lacks kennitala, email, .*\n$/,
  );
  expect(Object.keys(await dump(database.url))).toEqual(['members']);
});

test('an applied migration that is gone, and an older one slipped in, are refused', async () => {
  const database = await createTestDatabase();
  const [first = ''] = await migrationNames();
  const last = (await migrationNames()).at(-1) ?? '';
  await withChangedFolder(
    (folder) => rm(join(folder, `${last}.sql`)),
    async (script) => {
      const { code, stderr } = await migrate(database.url, script);
      expect([code, stderr]).toEqual([1, expect.stringContaining(`not here: ${last}.sql`)]);
    },
  );
  await withChangedFolder(
    (folder) => writeFile(join(folder, '000_older.sql'), 'select 1;\n'),
    async (script) => {
      const { code, stderr } = await migrate(database.url, script);
      expect([code, stderr]).toEqual([
        1,
        expect.stringContaining(`already run migration ${first}`),
      ]);
    },
  );
});

test('without a database the command says what to check, and never the password', async () => {
  const { code, stdout, stderr } = await migrate('postgresql://user:hidden@127.0.0.1:1/members');
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toContain('Cannot connect to PostgreSQL at 127.0.0.1:1, database members');
  expect(stderr).toContain('Check that it is running and that DATABASE_URL is right');
  expect(stderr).not.toContain('hidden');

  // A piece of the password for a host.
  const odd = await migrate('postgresql://odd:p@hidden/w@127.0.0.1:1/members');
  expect(odd.stderr).toMatch(/^DATABASE_URL must be .* write @ as %40.*\n$/);
  expect(odd.stderr).not.toContain('hidden');

  const missing = await migrate('');
  expect([missing.code, missing.stderr]).toEqual([
    1,
    expect.stringContaining('DATABASE_URL is missing'),
  ]);
});

test('the address may stand in .env, where nothing else counts', async () => {
  const { url } = await createEmptyDatabase();
  await withChangedFolder(
    (folder) =>
      writeFile(join(folder, '../.env'), `# mine\nDATABASE_URL=${url}\nPGOPTIONS=-c nonsense=1\n`),
    async (script) => {
      const env = bareEnvironment();
      const { stdout } = await promisify(execFile)(node, [script], { env });
      expect(stdout.trim().split('\n')).toHaveLength((await migrationNames()).length);
      // The environment wins, even with nothing in it.
      expect((await migrate('', script)).stderr).toContain('DATABASE_URL is missing');
    },
  );
});

test('the command explains itself, and takes no word that it does not know', async () => {
  const script = join(root, 'migrations/migrate.ts');
  const { stdout } = await promisify(execFile)(node, [script, '--help']);
  expect(stdout).toMatch(/^Usage: npm run migrate/);
  await expect(promisify(execFile)(node, [script, 'down'])).rejects.toMatchObject({
    stderr: expect.stringMatching(/^migrate takes no arguments\.\n/),
  });
  expect((await migrate('foo')).stderr).toMatch(/^DATABASE_URL must be a postgresql:.. URL;.*\n$/);
});
