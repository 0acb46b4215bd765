import { SyncError } from '../../lib/errors.ts';
import { noSessionLeft } from '../support/database.ts';
import { startDatabaseProxy } from '../support/databaseProxy.ts';
import { startReceiver } from '../support/receiver.ts';
import { type Relay, startRelay } from '../support/relay.ts';
import { until } from '../support/until.ts';
import { createWorld, type World } from '../support/world.ts';

// A database that goes silent: no answer, no end, as when a NAT forgets a connection or a network is cut.
// Whoever asked gets an answer in time, and nothing is left waiting.
let world: World;
let relay: Relay;
beforeAll(async () => {
  world = await createWorld({ members: 12, pageSize: 5 });
  relay = await startRelay(world.database.url);
});
beforeEach(async () => {
  relay.resume();
  await world.reset();
});

/** The shortest timeout that a function may have; a run stops itself after three quarters of it. */
const silent = () => ({ DATABASE_URL: relay.url, CLOUD_RUN_TIMEOUT_SECONDS: '10' });

test('syncStatus meets a pooled connection that is dead, and answers with a new one', async () => {
  const settings = { DATABASE_URL: relay.url };
  expect((await world.get('syncStatus', settings)).status).toBe(200);
  const old = relay.connections;
  expect(old).toBeGreaterThan(0);
  relay.silence();
  const answer = world.get('syncStatus', settings);
  // The relay goes on with what is new, as a network does that has forgotten one connection.
  await until(() => relay.connections > old);
  relay.resume();
  expect(await answer).toMatchObject({ status: 200, body: { status: 'never_synced' } });
  await (await world.bundle('syncStatus', settings)).stop();
});

test('syncStatus answers when the database does not', async () => {
  relay.silence();
  const { status, body } = await world.get('syncStatus', silent());
  expect([503, 504]).toContain(status);
  expect(body.error?.code).toMatch(/^(database_unavailable|deadline_exceeded)$/);
});

test('a run whose session goes silent in the middle of its COPY is answered, and closed', async () => {
  const proxy = await startDatabaseProxy(world.database.url);
  const settings = { ...silent(), DATABASE_URL: proxy.url };
  await world.bundle('syncScheduled', settings);
  const stands = proxy.stopAt({ when: 'during', statement: /^copy/ });
  const answer = world.post('syncScheduled', {}, settings);
  await stands;
  const { status, body } = await answer;
  expect([status, body.error?.code]).toEqual([504, 'deadline_exceeded']);
  await noSessionLeft(world.database);
  expect(await world.lastRun()).toMatchObject({ status: 'failed' });
  // The instance works on.
  expect(await world.post('syncScheduled', {}, settings)).toMatchObject({ status: 200 });
});

test.each([
  { name: 'before the lock', statement: /pg_try_advisory_lock/, when: 'before', found: [] },
  { name: 'while it applies', statement: /\bdo \$\$/, when: 'before', found: ['failed'] },
  { name: 'after the commit', statement: /^commit$/, when: 'after', found: ['success'] },
] as const)('a run whose session goes silent $name ends at its deadline', async (stage) => {
  const proxy = await startDatabaseProxy(world.database.url);
  const stands = proxy.stopAt(stage);
  const deadline = new AbortController();
  const settings = { DATABASE_URL: proxy.url };
  const run = world.run({}, { settings, signal: deadline.signal });
  const ended = expect(run).rejects.toMatchObject({ code: 'deadline_exceeded' });
  await stands;
  deadline.abort(new SyncError('deadline_exceeded', 'Time is up.'));
  await ended;
  await noSessionLeft(world.database);
  const rows = await world.database.query<{ status: string }>('select status from public.sync_log');
  expect(rows.map(({ status }) => status)).toEqual(stage.found);
  const members = await world.database.query('select 1 from public.members');
  expect(members).toHaveLength(stage.when === 'after' ? 12 : 0);
});

test('a run whose database is gone for good is answered, and the next one closes it', async () => {
  const settings = silent();
  await world.bundle('syncScheduled', settings);
  let gone = false;
  world.django.behaviour.onRequest = async () => {
    if (!gone) relay.silence();
    gone = true;
  };
  const { status, body } = await world.post('syncScheduled', {}, settings);
  expect([status, body.error?.code]).toEqual([504, 'deadline_exceeded']);
  const [pending] = await world.database.query('select status from public.sync_log');
  expect(pending).toEqual({ status: 'pending' });
  relay.resume();
  // The server hears now that the run's connection has gone.
  await noSessionLeft(world.database);
  const next = await world.post('syncScheduled', {}, settings);
  expect(next).toMatchObject({ status: 200, body: { status: 'success' } });
  const [closed] = await world.database.query('select status from public.sync_log order by id');
  expect(closed).toEqual({ status: 'failed' });
});

test('notifications that cannot be delivered for it are delivered later, and nobody waits', async () => {
  const receiver = await startReceiver();
  const settings = {
    DATABASE_URL: relay.url,
    NOTIFY_URLS: receiver.url,
    NOTIFY_SECRET: `whsec_${Buffer.alloc(32).toString('base64')}`,
  };
  receiver.answer = (response) => {
    relay.silence();
    response.writeHead(200).end();
  };
  const { status, body } = await world.post('syncScheduled', {}, settings);
  expect([status, body.status]).toEqual([200, 'success']);
  await receiver.hasGot(1);
  // Given up by itself, and then the relay has nothing left.
  const bundle = await world.bundle('syncScheduled', settings);
  await until(() => bundle.output().some((line) => line.includes('notifications_postponed')));
  relay.resume();
});
