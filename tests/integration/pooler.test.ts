import pg from 'pg';
import { describeWith } from '../support/commands.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { type PgBouncer, startPgBouncer } from '../support/pgBouncer.ts';
import { createWorld, membersOf, type World } from '../support/world.ts';

// A connection to a pooler is no session of the server: what a run needs of one, and what it leaves there.
let database: TestDatabase;
let world: World;
beforeAll(async () => {
  database = await createTestDatabase();
  world = await createWorld({ members: 12, pageSize: 5, database });
});
beforeEach(() => world.reset());

const through = ({ url }: PgBouncer) => ({ DATABASE_URL: url });
const locks = () =>
  database.query(`select 1 from pg_locks where locktype = 'advisory'
    and database = (select oid from pg_database where datname = current_database())`);

/** What the next one finds in the session that the pooler gives it. */
async function foundIn({ url }: PgBouncer): Promise<unknown[]> {
  const client = new pg.Client(url);
  await client.connect();
  const { rows } = await client.query(`
    select current_setting('default_transaction_read_only') as read_only,
      current_setting('search_path') as search_path, current_setting('timezone') as timezone,
      current_setting('statement_timeout') as statement_timeout,
      current_setting('idle_session_timeout') as idle_session_timeout,
      current_setting('row_security') as row_security,
      (select count(*)::int from pg_class where relpersistence = 't') as temporary_tables`);
  await client.end();
  return rows;
}
const asItWas = async () => {
  const [row] = await database.query(`select reset_val as timezone from pg_settings
    where name = 'TimeZone'`);
  return {
    read_only: 'off',
    search_path: '"$user", public',
    timezone: row?.['timezone'],
    statement_timeout: '0',
    idle_session_timeout: '0',
    row_security: 'on',
    temporary_tables: 0,
  };
};

describeWith('pgbouncer')('in session mode', () => {
  test.each([
    { name: 'as it comes', settings: {} },
    { name: 'that resets nothing between two clients', settings: { server_reset_query: '' } },
  ])('a pooler $name: runs work, and leave nothing behind', async ({ settings }) => {
    const pooler = await startPgBouncer(database.url, 'session', settings);
    const env = through(pooler);
    for (const name of ['syncDryRun', 'syncScheduled', 'syncScheduled'] as const) {
      const { status, body } = await world.post(name, {}, env);
      expect([status, body.status]).toEqual([200, 'success']);
    }
    expect(await membersOf(database)).toHaveLength(12);
    for (const name of ['syncStatus', 'syncLogs']) {
      expect(await world.get(name, env)).toMatchObject({ status: 200 });
    }
    for (const one of ['syncStatus', 'syncLogs']) await (await world.bundle(one, env)).stop();
    expect(await foundIn(pooler)).toEqual([await asItWas()]);
    expect(await locks()).toEqual([]);
    expect(pooler.log()).not.toContain('unsupported');
  });

  test('one session for all is enough for a run', async () => {
    const pooler = await startPgBouncer(database.url, 'session', { default_pool_size: 1 });
    const { body } = await world.post('syncScheduled', {}, through(pooler));
    expect(body).toMatchObject({ status: 'success', members_added: 12 });
  });

  test('what others left in a session disturbs no run', async () => {
    const pooler = await startPgBouncer(database.url, 'session', {
      server_reset_query: '',
      default_pool_size: 2,
    });
    const client = new pg.Client(pooler.url);
    await client.connect();
    await client.query(`create temp table plan (a int); create temp table incoming (a int);
      insert into plan values (1); set default_transaction_read_only = on; set datestyle = 'German';
      set statement_timeout = 100`);
    await client.end();
    const { body } = await world.post('syncScheduled', {}, through(pooler));
    expect(body).toMatchObject({ status: 'success', members_added: 12 });
  });

  test('names are stored in letters, whatever encoding the database gives to its sessions', async () => {
    const name = new URL(database.url).pathname.slice(1);
    await database.query(`alter database ${name} set client_encoding = 'LATIN1'`);
    const pooler = await startPgBouncer(database.url, 'session');
    await world.post('syncScheduled', {}, through(pooler));
    const logs = await world.get('syncLogs?external_id=1', through(pooler));
    await database.query(`alter database ${name} reset client_encoding`);
    const names = world.django.members.list().map((one) => one.name);
    expect((await membersOf(database)).map((one) => one['name']).sort()).toEqual(names.sort());
    expect(names.join()).toMatch(/[áéíóúýðþæö]/);
    expect(logs.text).toContain(world.django.members.get(1)?.name);
  });

  test('a pooler that refuses the login is told as such, and its secret is read again', async () => {
    const pooler = await startPgBouncer(database.url, 'session');
    const url = new URL(pooler.url);
    url.password = 'not-this-one';
    const { status, body } = await world.post('syncDryRun', {}, { DATABASE_URL: url.href });
    expect([status, body.error?.code]).toEqual([503, 'database_unavailable']);
    expect(body.error?.message).toMatch(/^The connection pooler refused the login/);
  });

  test('a parameter that it does not know is told as such', async () => {
    const pooler = await startPgBouncer(database.url, 'session');
    const settings = { DATABASE_URL: `${pooler.url}?options=-cwork_mem%3D1MB` };
    const { body } = await world.post('syncDryRun', {}, settings);
    expect(body.error?.message).toMatch(/refuses a parameter in DATABASE_URL.*\(08P01\)\.$/);
  });
});

describeWith('pgbouncer')('in a mode that shares sessions', () => {
  test.each([
    { name: 'transaction', settings: {} },
    { name: 'transaction', settings: { server_round_robin: 1, min_pool_size: 5 } },
    { name: 'transaction', settings: { default_pool_size: 1 } },
    { name: 'statement', settings: { pool_mode: 'statement' } },
  ])('$name mode $settings: nothing is done, and the cure is said', async ({ settings }) => {
    const pooler = await startPgBouncer(database.url, 'transaction', settings);
    const before = await foundIn(pooler);
    for (const name of ['syncDryRun', 'syncScheduled'] as const) {
      const { status, body } = await world.post(name, {}, through(pooler));
      expect([status, body.error?.code]).toEqual([503, 'database_unavailable']);
      expect(body.error?.message).toMatch(/PgBouncer.*set pool_mode = session there/);
    }
    expect(await foundIn(pooler)).toEqual(before);
    expect(await locks()).toEqual([]);
    expect(await database.query('select 1 from public.sync_log')).toEqual([]);
  });

  test('syncStatus and syncLogs work, and leave nothing behind', async () => {
    await world.run();
    const pooler = await startPgBouncer(database.url, 'transaction');
    const before = await foundIn(pooler);
    const { body } = await world.get('syncStatus', through(pooler));
    expect(body).toMatchObject({ status: 'ok', last_run: { members_added: 12 } });
    const logs = await world.get('syncLogs', through(pooler));
    expect(logs.body).toMatchObject({ logs: [{ members_added: 12 }] });
    expect(await foundIn(pooler)).toEqual(before);
  });
});

describe('a run whose connection gets another session', () => {
  test.each([
    { name: 'is another', statement: `set_config('membership_sync.backend', '1', false)` },
    { name: 'has lost the lock', statement: 'pg_advisory_unlock_all()' },
  ])('that $name, changes nothing and says why', async ({ statement }) => {
    await database.query(`create function public.swap() returns trigger language plpgsql as
      $$ begin perform ${statement}; return new; end $$`);
    await database.query(`create trigger swap before insert on public.members
      for each row execute function public.swap()`);
    const { status, body } = await world.post('syncScheduled');
    await database.query('drop trigger swap on public.members; drop function public.swap');
    expect(status).toBe(503);
    expect(body.error).toMatchObject({
      code: 'interrupted',
      message: expect.stringMatching(/another session of the server.*pooler/),
    });
    expect(await membersOf(database)).toEqual([]);
    expect(await world.lastRun()).toMatchObject({ status: 'failed' });
  });
});
