import { readFileSync } from 'node:fs';
import pg from 'pg';
import { describeWith } from '../support/commands.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { startDjango } from '../support/django.ts';
import { get } from '../support/http.ts';
import { startPgBouncer } from '../support/pgBouncer.ts';
import { startRelay } from '../support/relay.ts';
import { startTlsServer, type TlsServer } from '../support/tlsServer.ts';
import { until } from '../support/until.ts';

// What other tests stand on: the relay, the pooler and the server with TLS do what they say.
let database: TestDatabase;
const open: pg.Client[] = [];
beforeAll(async () => {
  database = await createTestDatabase();
});
afterEach(() => Promise.all(open.splice(0).map((client) => client.end().catch(() => undefined))));

async function connect(url: string, more: pg.ClientConfig = {}): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, ...more });
  client.on('error', () => {});
  await client.connect();
  open.push(client);
  return client;
}
const pidOf = async (client: pg.Client) =>
  (await client.query('select pg_backend_pid() as pid')).rows[0].pid;

describe('the relay', () => {
  test('a silent one ends nothing and passes nothing, and afterwards everything', async () => {
    const relay = await startRelay(database.url);
    const client = await connect(relay.url);
    let ended = false;
    client.once('end', () => {
      ended = true;
    });
    relay.silence();
    let answered = false;
    const query = client.query('select 1 as one').then(({ rows }) => {
      answered = true;
      return rows;
    });
    const [backend] = await database.query(
      `select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
    );
    await database.query('select pg_terminate_backend($1)', [backend?.['pid']]);
    await until(
      async () =>
        (await database.query(`select 1 from pg_stat_activity where pid = $1`, [backend?.['pid']]))
          .length === 0,
    );
    expect([answered, ended, relay.connections]).toEqual([false, false, 1]);
    relay.resume();
    await expect(query).rejects.toThrow(/terminat/);
  });

  test('with silent replies what we send still arrives', async () => {
    const relay = await startRelay(database.url);
    const client = await connect(relay.url);
    relay.silence('replies');
    const query = client.query('create table public.arrived ()');
    await until(
      async () => (await database.query(`select to_regclass('public.arrived') as t`))[0]?.['t'],
    );
    relay.resume();
    await query;
  });

  test('it breaks connections off, and takes new ones', async () => {
    const relay = await startRelay(database.url);
    const client = await connect(relay.url);
    const query = client.query('select pg_sleep(60)');
    relay.reset();
    await expect(query).rejects.toThrow();
    await connect(relay.url);
  });

  test('it stands before a register too', async () => {
    const django = await startDjango({ members: 3 });
    const relay = await startRelay(django.url);
    const { body } = await get(`${relay.url}/api/members/`, { key: django.behaviour.key });
    expect(body).toMatchObject({ count: 3 });
  });
});

describeWith('pgbouncer')('the pooler', () => {
  test('in session mode a connection keeps its backend', async () => {
    const { url } = await startPgBouncer(database.url, 'session');
    const [first, second] = [await connect(url), await connect(url)];
    expect(await pidOf(first)).toBe(await pidOf(first));
    expect(await pidOf(first)).not.toBe(await pidOf(second));
  });

  test('in transaction mode two connections share one', async () => {
    const { url, consoleUrl } = await startPgBouncer(database.url, 'transaction');
    const [first, second] = [await connect(url), await connect(url)];
    expect(await pidOf(first)).toBe(await pidOf(second));
    const console = await connect(consoleUrl);
    const { rows } = await console.query('show pools');
    expect(rows).toContainEqual(expect.objectContaining({ pool_mode: 'transaction' }));
  });
});

describeWith('openssl')('the server with TLS', () => {
  let server: TlsServer;
  beforeAll(async () => {
    server = await startTlsServer();
  });

  test('it refuses a connection without', async () => {
    await expect(connect(server.url)).rejects.toThrow(/no encryption/);
  });

  test('its certificate is of its authority, for its name', async () => {
    const byName = server.url.replace('127.0.0.1', 'localhost');
    const ca = readFileSync(server.caFile, 'utf8');
    const client = await connect(byName, { ssl: { ca } });
    const { rows } = await client.query('select count(*)::int as rows from public.members');
    expect(rows).toEqual([{ rows: 0 }]);
    await expect(connect(server.url, { ssl: { ca } })).rejects.toThrow(/altnames/);
    const other = readFileSync(server.otherCaFile, 'utf8');
    await expect(connect(byName, { ssl: { ca: other } })).rejects.toThrow(/certificate/);
  });
});
