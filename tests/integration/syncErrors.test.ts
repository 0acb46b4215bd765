import { freePort } from '../../local/freePort.ts';
import { type Postgres, startPostgres } from '../../local/postgres.ts';
import { afterTests } from '../support/cleanUp.ts';
import { dump, runMigrations } from '../support/database.ts';
import { ADMIN_KEY, type Reply } from '../support/http.ts';
import { createWorld, type Settings, type World } from '../support/world.ts';

// Every error code of the contract, provoked through the built bundles as the platform serves them.
let world: World;
/** A server that can be taken away, and the settings of functions that use it. */
let postgres: Postgres;
let orphaned: Settings;

beforeAll(async () => {
  [world, postgres] = await Promise.all([
    createWorld({ members: 5, settings: { DJANGO_TIMEOUT_MS: '2000' } }),
    startPostgres(),
  ]);
  afterTests(postgres.stop);
  await runMigrations(postgres.url);
  orphaned = { DATABASE_URL: postgres.url };
}, 60_000);
beforeEach(() => world.django.clear());

const errorOf = ({ status, body }: Reply) => ({
  status,
  code: body?.error?.code,
  message: body?.error?.message,
});
const lastRun = async () => {
  const rows = await world.database.query(
    'select id, status, details from public.sync_log order by id desc limit 1',
  );
  return rows[0];
};

const djangoErrors = [
  { name: 'resets the connection', fault: { kind: 'reset' }, code: 'django_unreachable' },
  { name: 'never answers', fault: { kind: 'hang' }, code: 'django_unreachable' },
  { name: 'breaks off in the middle', fault: { kind: 'truncate' }, code: 'django_unreachable' },
  { name: 'refuses the key', fault: { kind: 'status', status: 401 }, code: 'django_unauthorized' },
  { name: 'forbids', fault: { kind: 'status', status: 403 }, code: 'django_unauthorized' },
  { name: 'throttles', fault: { kind: 'throttle' }, code: 'django_rate_limited' },
  { name: 'shows a login page', fault: { kind: 'html' }, code: 'django_invalid_response' },
  { name: 'sends broken JSON', fault: { kind: 'malformed' }, code: 'django_invalid_response' },
  {
    name: 'sends JSON that is no list',
    fault: { kind: 'rewrite', body: () => ({ detail: 'ok' }) },
    code: 'django_invalid_response',
  },
  { name: 'fails', fault: { kind: 'status', status: 500 }, code: 'django_error' },
  { name: 'has no such page', fault: { kind: 'status', status: 404 }, code: 'django_error' },
] as const;

test.each(djangoErrors)(
  'a register that $name is 502 $code, with the run that failed, and nobody is changed',
  async ({ fault, code }) => {
    const { sync_log: _before, ...before } = await dump(world.database.url);
    world.django.misbehave({ ...fault, when: ({ path }) => path.endsWith('/') });
    const reply = await world.sync();
    expect(errorOf(reply)).toMatchObject({ status: 502, code });
    const run = await lastRun();
    expect(reply.body['error']).toMatchObject({ run_id: run?.['id'] });
    expect(run).toMatchObject({ status: 'failed', details: { error: { code } } });
    const { sync_log: _after, ...after } = await dump(world.database.url);
    expect(after).toEqual(before);
  },
);

const refusals: { name: string; send: () => Promise<Reply>; expected: object }[] = [
  {
    name: 'an unknown field is named',
    send: () => world.sync({ hurry: true }),
    expected: { status: 400, code: 'invalid_request', message: expect.stringContaining('hurry') },
  },
  {
    name: 'a field of the wrong type is named',
    send: () => world.sync({ mode: 7 }),
    expected: { status: 400, code: 'invalid_request', message: expect.stringContaining('mode') },
  },
  {
    name: 'a value that is not known is named with those that are',
    send: () => world.sync({ sync_type: 'hourly' }),
    expected: {
      status: 400,
      code: 'invalid_request',
      message: expect.stringMatching(/sync_type\b.*scheduled.*membership.*manual.*webhook/),
    },
  },
  {
    name: 'a body that is no object is refused',
    send: () => world.sync([1]),
    expected: { status: 400, code: 'invalid_request' },
  },
  {
    name: 'JSON that does not parse is refused',
    send: () => world.sync('{'),
    expected: { status: 400 },
  },
  {
    name: 'parameters that do not go together are refused',
    send: () => world.sync({ undo: 1, mode: 'full' }),
    expected: { status: 400, code: 'invalid_request', message: expect.stringContaining('undo') },
  },
  {
    name: 'incremental without a parameter for it is refused',
    send: () => world.sync({ mode: 'incremental' }),
    expected: { status: 400, code: 'invalid_request' },
  },
  {
    name: 'a caller without a key is refused',
    send: () => world.sync({}, {}, { key: '' }),
    expected: { status: 401, code: 'unauthorized' },
  },
  {
    name: 'a caller with another key is refused',
    send: () => world.sync({}, {}, { key: `${ADMIN_KEY}z` }),
    expected: { status: 401, code: 'unauthorized' },
  },
  {
    name: 'another path is not found',
    send: () => world.post('syncScheduled/sync/now'),
    expected: { status: 404, code: 'not_found' },
  },
  {
    name: 'a run that never was cannot be undone',
    send: () => world.sync({ undo: 2_000_000 }),
    expected: { status: 404, code: 'not_found' },
  },
  {
    name: 'a body above 64 KiB is too large',
    send: () => world.sync({ external_ids: ['1'.repeat(70_000)] }),
    expected: { status: 413, code: 'payload_too_large' },
  },
];

test.each(refusals)('$name', async ({ send, expected }) => {
  const asked = world.django.requests.length;
  expect(errorOf(await send())).toMatchObject(expected);
  expect(world.django.requests).toHaveLength(asked);
});

test('another method is refused with the one that is allowed', async () => {
  const reply = await world.get('syncScheduled');
  expect(errorOf(reply)).toMatchObject({ status: 405, code: 'method_not_allowed' });
  expect(reply.headers.get('allow')).toBe('POST');
});

test('an error that nobody expected is 500 and tells no detail', async () => {
  const { database } = world;
  await database.query(`create function public.break() returns trigger language plpgsql as
      $$ begin raise exception 'select phone from nowhere' using errcode = 'XX001'; end $$;
    create trigger break before update on public.sync_log for each row when (new.status <> 'failed')
      execute function public.break()`);
  const reply = await world.sync();
  await database.query('drop function public.break cascade');
  expect(errorOf(reply)).toMatchObject({ status: 500, code: 'internal_error' });
  expect(reply.text).not.toMatch(/phone|column|select|stack|node/i);
  expect(await lastRun()).toMatchObject({
    status: 'failed',
    details: { error: { code: 'internal_error' } },
  });
  const bundle = await world.bundle('syncScheduled');
  expect(await bundle.says({ error_code: 'internal_error' })).toMatchObject({ severity: 'ERROR' });
});

test('with SYNC_ENABLED=false a run is skipped without a look at register or database', async () => {
  const disabled = { SYNC_ENABLED: 'false' };
  const before = await dump(world.database.url);
  const { status, body } = await world.sync({}, disabled);
  expect([status, body]).toEqual([200, { status: 'skipped', reason: 'sync_disabled' }]);
  expect((await world.sync({ sync_type: 'hourly' }, disabled)).status).toBe(400);
  expect(await dump(world.database.url)).toEqual(before);
  expect(world.django.requests).toEqual([]);
});

test('two calls at once, served by two instances: one is 409 and the other does the run', async () => {
  const { django, database } = world;
  const other = { LOG_LEVEL: 'DEBUG' };
  await world.bundle('syncScheduled', other);
  // The first run waits for its page until the second has been refused.
  const asked = Promise.withResolvers<void>();
  const refused = Promise.withResolvers<void>();
  django.behaviour.onRequest = () => {
    asked.resolve();
    return refused.promise;
  };
  const first = world.sync();
  await asked.promise;
  const second = await world.sync({}, other);
  expect(errorOf(second)).toMatchObject({ status: 409, code: 'sync_in_progress' });
  refused.resolve();
  expect(await first).toMatchObject({ status: 200, body: { status: 'success' } });
  const [rows] = await database.query(
    'select count(*)::int as members, count(distinct kennitala)::int as people from public.members',
  );
  expect(rows).toEqual({ members: 5, people: 5 });
});

test('a database that was stopped is 503 for every function, and none when it is back', async () => {
  expect((await world.post('syncScheduled', {}, orphaned)).status).toBe(200);
  expect((await world.get('syncStatus', orphaned)).status).toBe(200);
  const back = postgres.port;
  await postgres.restart();
  expect(postgres.port).toBe(back);
  // The pool of syncStatus holds a connection that died with the server.
  expect((await world.get('syncStatus', orphaned)).body).toMatchObject({ status: 'ok' });

  await postgres.stop();
  const replies = await Promise.all([
    world.post('syncScheduled', {}, orphaned),
    world.post('syncDryRun', {}, orphaned),
    world.get('syncStatus', orphaned),
    world.get('syncLogs', orphaned),
  ]);
  for (const reply of replies) {
    expect(errorOf(reply)).toEqual({
      status: 503,
      code: 'database_unavailable',
      message: expect.stringMatching(/^The database .* \([A-Z0-9]+\)\.$/),
    });
  }
});

test('a database where nobody listens is 503', async () => {
  const DATABASE_URL = `postgresql://nobody:nothing@127.0.0.1:${await freePort()}/none`;
  const reply = await world.sync({}, { DATABASE_URL });
  expect(errorOf(reply)).toMatchObject({ status: 503, code: 'database_unavailable' });
  const { output } = await world.bundle('syncScheduled', { DATABASE_URL });
  expect(reply.text + output().join()).not.toMatch(/nobody|nothing/);
});
