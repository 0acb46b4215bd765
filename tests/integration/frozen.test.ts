import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { closeSession, openSession } from '../../lib/sync/session.ts';
import { afterTests } from '../support/cleanUp.ts';
import { noSessionLeft } from '../support/database.ts';
import { contextOf } from '../support/run.ts';
import { until } from '../support/until.ts';
import { createWorld, type World } from '../support/world.ts';

// A process that stands still, as on an instance without CPU, keeps neither its session nor its lock.
let world: World;
beforeAll(async () => {
  world = await createWorld({ members: 12, pageSize: 5 });
});
beforeEach(() => world.reset());

/** The same database, where two seconds stand for the two minutes that a session may be idle. */
async function impatient(databaseUrl: string): Promise<string> {
  const { port, hostname } = new URL(databaseUrl);
  const listener = createServer((client) => {
    const server = connect(Number(port), hostname);
    client.on('data', (chunk) => {
      const text = chunk.toString('latin1');
      const shorter = text.replace(
        "idle_session_timeout = '120s'",
        "idle_session_timeout =   '2s'",
      );
      server.write(Buffer.from(shorter, 'latin1'));
    });
    server.pipe(client);
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      socket.on('error', () => {}).once('close', () => other.destroy());
    }
  }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  afterTests(() => void listener.close());
  const url = new URL(databaseUrl);
  url.port = String((listener.address() as AddressInfo).port);
  return url.href;
}

test('a frozen run loses session and lock, the next one works, and the frozen one says so', async () => {
  const settings = { DATABASE_URL: await impatient(world.database.url) };
  const bundle = await world.bundle('syncScheduled', settings);
  let frozen = false;
  world.django.behaviour.onRequest = async () => {
    if (frozen) return;
    frozen = true;
    bundle.process.kill('SIGSTOP');
  };
  const answer = world.post('syncScheduled', {}, settings);
  await until(() => frozen);
  await noSessionLeft(world.database);
  expect(await world.run()).toMatchObject({ status: 'success', members_added: 12 });
  bundle.process.kill('SIGCONT');
  const { status, body } = await answer;
  expect([status, body.error?.code]).toEqual([503, 'database_unavailable']);
  expect(body.error?.message).toMatch(/connection to the database was lost/);
  const rows = await world.database.query('select status from public.sync_log order by id');
  expect(rows).toEqual([{ status: 'failed' }, { status: 'success' }]);
});

test('a run that waits for the register shows signs of life', async () => {
  jest.useFakeTimers({ doNotFake: ['setTimeout', 'setImmediate', 'nextTick', 'performance'] });
  const session = await openSession(contextOf(world.settings, () => {}));
  const { rows } = await session.query(`select pg_backend_pid() as pid,
    current_setting('idle_session_timeout') as idle`);
  expect(rows[0].idle).toBe('2min');
  const last = async () => {
    const [row] = await world.database.query(`select query from pg_stat_activity where pid = $1`, [
      rows[0].pid,
    ]);
    return row?.['query'];
  };
  expect(await last()).not.toBe('select 1');
  jest.advanceTimersByTime(31_000);
  await until(async () => (await last()) === 'select 1');
  jest.useRealTimers();
  await closeSession(session);
});

const everythingButDate = [
  'hrtime',
  'nextTick',
  'performance',
  'queueMicrotask',
  'setImmediate',
  'clearImmediate',
  'setInterval',
  'clearInterval',
  'setTimeout',
  'clearTimeout',
] as const;

test.each([
  { name: 'forward by a century', years: 100 },
  { name: 'back by a century', years: -100 },
])('a clock that jumps $name within a run changes no figure', async ({ years }) => {
  jest.useFakeTimers({ doNotFake: [...everythingButDate] });
  const right = Date.now();
  world.django.behaviour.onRequest = () => jest.setSystemTime(right + years * 365 * 86_400_000);
  expect((await world.run()).duration_ms).toBeLessThan(60_000);
  // The next one begins with the wrong clock.
  const end = world.django.misbehave({ kind: 'status', status: 500 });
  await expect(world.run()).rejects.toMatchObject({ code: 'django_error' });
  end();
  jest.useRealTimers();
  const rows = await world.database.query(
    `select status from public.sync_log
     where duration_ms between 0 and 60000 and sync_timestamp at time zone 'UTC' between now() - interval '1 minute' and now()
     order by id`,
  );
  expect(rows).toEqual([{ status: 'success' }, { status: 'failed' }]);
});
