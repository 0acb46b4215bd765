import pg from 'pg';
import type { SyncError } from '../../lib/errors.ts';
import type { SeenRequest } from '../../local/mockDjango/types.ts';
import { type Bundle, startBundle } from '../support/bundle.ts';
import { noSessionLeft, type Row, sessionsOfRuns } from '../support/database.ts';
import { type DatabaseProxy, type Stage, startDatabaseProxy } from '../support/databaseProxy.ts';
import { post, type Reply } from '../support/http.ts';
import { startOwnServer } from '../support/ownServer.ts';
import { type Receiver, startReceiver } from '../support/receiver.ts';
import { asksForList, memberAsked } from '../support/register.ts';
import { runHere } from '../support/run.ts';
import { until } from '../support/until.ts';
import { createWorld, type Settings, smallPages, type World } from '../support/world.ts';

let world: World;
let receiver: Receiver;
let proxy: DatabaseProxy;
let notified: Settings;
beforeAll(async () => {
  world = await createWorld(smallPages);
  receiver = await startReceiver();
  proxy = await startDatabaseProxy(world.database.url);
  notified = {
    NOTIFY_URLS: receiver.url,
    NOTIFY_SECRET: `whsec_${Buffer.alloc(32).toString('base64')}`,
  };
});

const throughProxy = () => ({ ...notified, DATABASE_URL: proxy.url });
const register = () => world.django.members;
const takeIt = (response: { writeHead(status: number): { end(): void } }) =>
  response.writeHead(200).end();

/** What is in `members` but for times, which differ from run to run. */
const people = async (): Promise<Row[]> =>
  (await world.members()).map(({ added_at: _, removed_at, ...row }) => ({
    ...row,
    removed: removed_at !== null,
  }));
const count = async (table: string, where = 'true') => {
  const [row] = await world.database.query<{ n: number }>(
    `select count(*)::int as n from public.${table} where ${where}`,
  );
  return row?.n;
};
const logRows = () =>
  world.database.query<{ id: number; status: string; details: Row }>(
    'select id, status, details from public.sync_log order by id',
  );

/** The run before the one that is disturbed, which is the next. */
let first = 0;

/** A register and members that agree, and then four changes in the register. Gives both states of the members. */
async function begin(): Promise<{ before: Row[]; after: Row[] }> {
  await world.reset(35);
  receiver.arrivals.length = 0;
  receiver.answer = takeIt;
  const { body } = await world.sync();
  expect(body).toMatchObject({ status: 'success', members_added: 35 });
  first = Number(body.run_id);
  const before = await people();
  register().remove(1);
  register().update(2, { name: 'Annað Nafn' });
  register().update(3, { kennitala: '0000000003' });
  register().add({ id: 36 });
  const after = before.map((row) => ({
    ...row,
    ...(row['id'] === 1 ? { is_active: false, removed: true } : {}),
    ...(row['id'] === 2 ? { name: 'Annað Nafn' } : {}),
    ...(row['id'] === 3 ? { kennitala: '0000000003' } : {}),
  }));
  const added = {
    ...before[0],
    ...{ id: expect.any(Number), external_id: '36', kennitala: '0000000036' },
    ...{ name: 'Nýr Félagi 36', email: 'nyr.36@felagi.example', phone: null },
  };
  return { before, after: [...after, added] };
}

/** How far a run gets, how it is made to stand there, and whether its changes are in the database by then. */
interface Point {
  name: string;
  reach: () => Promise<void>;
  applied: boolean;
}

const atStatement = (name: string, stage: Stage, applied = false): Point => ({
  name,
  reach: () => proxy.stopAt(stage),
  applied,
});
// The answer waits until `release` is called.
const atRequest = (name: string, picks: (request: SeenRequest) => boolean): Point => ({
  name,
  reach: () =>
    new Promise((resolve) => {
      let isFirst = true;
      world.django.behaviour.onRequest = (request) => {
        if (!isFirst || !picks(request)) return undefined;
        isFirst = false;
        resolve();
        return new Promise<void>((answer) => {
          release = answer;
        });
      };
    }),
  applied: false,
});
let release = () => {};

const points: Point[] = [
  atRequest(
    'while pages are fetched',
    (request) => asksForList(request) && request.query['page'] === '3',
  ),
  atStatement('in the middle of COPY', { when: 'during', statement: /^copy pg_temp.incoming/ }),
  atStatement('before the plan is made', { when: 'before', statement: /insert into pg_temp.plan/ }),
  atRequest('while a removal is confirmed', (request) => memberAsked(request) === '1'),
  atStatement('before members are changed', {
    when: 'before',
    statement: /insert into public\.member_changes/,
  }),
  atStatement('after members were changed and their audit rows are written', {
    when: 'after',
    statement: /insert into public\.member_changes/,
  }),
  atStatement('after the outbox is written', {
    when: 'after',
    statement: /insert into public\.notification_outbox/,
  }),
  atStatement('before the commit is sent', { when: 'before', statement: /^commit/ }),
  atStatement('after the commit, before its answer', { when: 'after', statement: /^commit/ }, true),
  {
    name: 'while a receiver is told of it',
    reach: () =>
      new Promise((resolve) => {
        receiver.answer = () => resolve();
      }),
    applied: true,
  },
];

const CHANGES = 4;

/** Nothing or everything of the run is there: members, audit trail, outbox and log together. */
async function expectAllOrNothing(
  { applied }: Point,
  states: { before: Row[]; after: Row[] },
  closedAs: object,
) {
  expect(await people()).toEqual(applied ? states.after : states.before);
  expect(await count('member_changes', `run_id = ${first + 1}`)).toBe(applied ? CHANGES : 0);
  expect(await count('notification_outbox')).toBe(applied ? 1 : 0);
  const [, row] = await logRows();
  expect(row).toMatchObject({
    id: first + 1,
    ...(applied ? { status: 'success' } : closedAs),
  });
}

/** The next run leaves everything as if nothing had happened, and nothing twice. */
async function expectNextRunRight({ applied }: Point, after: Row[], failure: object) {
  world.django.clear();
  world.django.behaviour.onRequest = () => undefined;
  receiver.answer = takeIt;
  // The lease of a killed process runs out by itself, after half a minute.
  await world.database.query(
    'update public.notification_outbox set leased_until = now(), next_attempt_at = now()',
  );
  const { status, body } = await world.sync({}, notified);
  expect([status, body.status]).toEqual([200, 'success']);
  expect(await people()).toEqual(after);
  expect(await count('member_changes', `run_id > ${first}`)).toBe(CHANGES);
  expect(await logRows()).toMatchObject([
    { id: first, status: 'success' },
    { id: first + 1, ...(applied ? { status: 'success' } : failure) },
    // A sequence skips numbers in a crash of the server.
    { id: expect.any(Number), status: 'success' },
  ]);
  await until(async () => (await count('notification_outbox', `status = 'delivered'`)) === 1);
  expect(await count('notification_outbox')).toBe(1);
  const ids = receiver.arrivals.map(({ headers }) => headers['webhook-id']);
  expect(new Set(ids).size).toBe(1);
}

const abandoned = {
  status: 'failed',
  details: { error: { code: 'abandoned' } },
};

// Between these a cut connection shows every statement of a run, below.
const deaths = points.filter(({ name }) => !/plan is made|before members|outbox/.test(name));

test.each(deaths)(
  'a process killed $name leaves all or nothing, and the next run is right',
  async (point) => {
    const states = await begin();
    const victim = await startBundle('syncScheduled', { ...world.settings, ...throughProxy() });
    const reached = point.reach();
    const call = post(victim.url, {}).catch((error: Error) => error);
    await reached;
    await victim.kill('SIGKILL');
    expect(await call).toMatchObject({ message: 'fetch failed' });
    proxy.cut();
    await noSessionLeft(world.database);

    await expectAllOrNothing(point, states, { status: 'pending' });
    await expectNextRunRight(point, states.after, abandoned);
  },
);

describe('a connection that is ended', () => {
  let victim: Bundle;
  beforeAll(async () => {
    victim = await startBundle('syncScheduled', { ...world.settings, ...throughProxy() });
  });
  const inSession = points.filter(({ name }) => name !== 'while a receiver is told of it');
  const failed = { status: 'failed', details: { error: { code: 'database_unavailable' } } };

  test.each(inSession)(
    'by the server $name leaves all or nothing, and the next run is right',
    async (point) => {
      const states = await begin();
      const reached = point.reach();
      const call = post(victim.url, {});
      await reached;
      const ended = await world.database.query(
        `select pg_terminate_backend(pid) from (${sessionsOfRuns}) as runs`,
      );
      expect(ended).toHaveLength(1);
      proxy.cut();
      release();
      expectUnavailable(await call);
      await expectAllOrNothing(point, states, failed);
      await expectNextRunRight(point, states.after, failed);
    },
  );
});

function expectUnavailable({ status, body }: Reply): void {
  expect([status, body.error?.code]).toEqual([503, 'database_unavailable']);
  expect(body.error?.run_id).toBe(first + 1);
}

test('a connection cut before or after any statement of a run leaves all or nothing', async () => {
  const direct = { ...world.settings, ...notified };
  await begin();
  const from = proxy.statements.length;
  await runHere({ ...direct, DATABASE_URL: proxy.url });
  const all = proxy.statements.slice(from);
  const end = all.indexOf('commit');
  expect(end).toBeGreaterThan(15);
  const isProgress = (statement: string) => /set progress/.test(statement);
  const cuts = all
    .slice(0, end + 1)
    .filter((statement, index) => !isProgress(statement) && all.indexOf(statement) === index)
    .flatMap((statement) => [
      { statement, when: 'before' as const },
      // COPY is not done with its statement; that one is cut in the middle of its data.
      { statement, when: statement.startsWith('copy') ? ('during' as const) : ('after' as const) },
    ]);
  let states = await begin();
  for (const { statement, when } of cuts) {
    const pattern = { test: (text: string) => text === statement } as RegExp;
    const cut = proxy.cutAt({ when, statement: pattern });
    const outcome = await runHere({ ...direct, DATABASE_URL: proxy.url }).catch(
      ({ code, extra }: SyncError) => ({ code, ...extra }),
    );
    await cut;
    await noSessionLeft(world.database);
    const committed = statement === 'commit' && when === 'after';
    const here = { statement, when };
    expect({ ...here, outcome }).toEqual({
      ...here,
      outcome: { code: 'database_unavailable', ...(committed ? { applied: true } : {}) },
    });
    const found = await people();
    expect({ ...here, found }).toEqual({
      ...here,
      found: committed ? states.after : states.before,
    });
    expect(await count('member_changes', `run_id > ${first}`)).toBe(committed ? CHANGES : 0);
    expect(await count('notification_outbox')).toBe(committed ? 1 : 0);
    // A run that was never told its number cannot close its row; the next one does.
    const unknown = statement.includes('into public.sync_log') && when === 'after';
    expect({ ...here, pending: await count('sync_log', `status = 'pending'`) }).toEqual({
      ...here,
      pending: unknown ? 1 : 0,
    });
    if (committed) states = await begin();
  }
  expect(await runHere(direct)).toMatchObject({ status: 'success' });
}, 120_000);

test('a run of which nobody can be asked whether it was applied is said to be one', async () => {
  const states = await begin();
  const url = new URL(world.database.url);
  const [name, elsewhere] = [url.pathname.slice(1), new URL(url)];
  elsewhere.pathname = '/postgres';
  const server = new pg.Client(elsewhere.href);
  await server.connect();
  const allow = (is: boolean) => server.query(`alter database ${name} allow_connections ${is}`);
  const stands = proxy.stopAt({ when: 'after', statement: /^commit$/ });
  const run = runHere({ ...world.settings, DATABASE_URL: proxy.url }).catch(
    (error: SyncError) => error,
  );
  await stands;
  await allow(false);
  proxy.cut();
  const error = (await run) as SyncError;
  await allow(true);
  await server.end();
  expect(error).toMatchObject({ code: 'database_unavailable', extra: { applied: null } });
  expect(error.message).toMatch(/Whether run \d+ was applied is not known/);
  expect(await people()).toEqual(states.after);
});

describe('a database that is restarted', () => {
  let victim: Bundle;
  let server: Awaited<ReturnType<typeof startOwnServer>>;
  beforeAll(async () => {
    server = await startOwnServer();
    world = await createWorld({ ...smallPages, database: server.database });
    proxy = await startDatabaseProxy(server.database.url);
    victim = await startBundle('syncScheduled', { ...world.settings, ...throughProxy() });
  });
  const orderly = points.filter(({ name }) => /pages|were changed/.test(name));
  const crashes = points.filter(({ name }) => /COPY|were changed|before its answer/.test(name));
  const restarts = [
    ...orderly.map((point) => ({ point, signal: 'SIGINT' as const, how: 'orderly' })),
    ...crashes.map((point) => ({ point, signal: 'SIGQUIT' as const, how: 'after a crash' })),
  ];

  test.each(restarts)(
    '$how $point.name leaves all or nothing, and the next run is right',
    async ({ point, signal }) => {
      const states = await begin();
      const reached = point.reach();
      const call = post(victim.url, {});
      await reached;
      await server.restart(signal);
      release();
      expectUnavailable(await call);
      // The run can close its row only if the server is up again by then; if not, the next run does.
      const either = {
        status: expect.stringMatching(/^(pending|failed)$/),
      };
      await expectAllOrNothing(point, states, either);
      await expectNextRunRight(point, states.after, {
        status: 'failed',
        details: { error: { code: expect.stringMatching(/^(abandoned|database_unavailable)$/) } },
      });
    },
  );
});
