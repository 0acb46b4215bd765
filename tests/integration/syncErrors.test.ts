import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../../local/freePort.ts';
import { type Postgres, startPostgres } from '../../local/postgres.ts';
import { type Bundle, startBundle } from '../support/bundle.ts';
import { dump } from '../support/database.ts';
import { asAdmin, call, createSurroundings, get } from '../support/syncFunctions.ts';
import { type Reply, request } from '../support/testServer.ts';

// Every error code of the contract, provoked through the built bundles as the platform serves them.
let surroundings: Awaited<ReturnType<typeof createSurroundings>>;
let sync: Bundle;
let disabled: Bundle;
let postgres: Postgres;
/** Bundles whose database can be taken away. */
let orphans: Record<'syncScheduled' | 'syncDryRun' | 'syncStatus' | 'syncLogs', Bundle>;

beforeAll(async () => {
  surroundings = await createSurroundings(5);
  const { env } = surroundings;
  postgres = await startPostgres();
  await promisify(execFile)('npm', ['run', 'migrate'], {
    cwd: join(import.meta.dirname, '../..'),
    env: { ...process.env, DATABASE_URL: postgres.url },
  });
  const lost = { ...env, DATABASE_URL: postgres.url };
  const start = (name: string, own: Record<string, string>) => startBundle(name, own);
  const [first, second, ...rest] = await Promise.all([
    start('syncScheduled', env),
    start('syncScheduled', { ...env, SYNC_ENABLED: 'false' }),
    start('syncScheduled', lost),
    start('syncDryRun', lost),
    start('syncStatus', lost),
    start('syncLogs', lost),
  ]);
  sync = first;
  disabled = second;
  const [syncScheduled, syncDryRun, syncStatus, syncLogs] = rest;
  orphans = { syncScheduled, syncDryRun, syncStatus, syncLogs };
}, 60_000);
afterAll(() => postgres?.stop());
beforeEach(() => surroundings.django.clear());

const errorOf = ({ status, json }: Reply) => {
  const { code, message } = (json?.['error'] ?? {}) as { code?: string; message?: string };
  return { status, code, message };
};
const lastRun = async () => {
  const rows = await surroundings.database.query(
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
    const { sync_log: _before, ...before } = await dump(surroundings.database.url);
    surroundings.django.misbehave({ ...fault, when: ({ path }) => path.endsWith('/') });
    const reply = await call(sync.url);
    expect(errorOf(reply)).toMatchObject({ status: 502, code });
    const run = await lastRun();
    expect(reply.json['error']).toMatchObject({ run_id: run?.['id'] });
    expect(run).toMatchObject({ status: 'failed', details: { error: { code } } });
    const { sync_log: _after, ...after } = await dump(surroundings.database.url);
    expect(after).toEqual(before);
  },
);

const refusals: { name: string; send: () => Promise<Reply>; expected: object }[] = [
  {
    name: 'an unknown field is named',
    send: () => call(sync.url, { hurry: true }),
    expected: { status: 400, code: 'invalid_request', message: expect.stringContaining('hurry') },
  },
  {
    name: 'a field of the wrong type is named',
    send: () => call(sync.url, { mode: 7 }),
    expected: { status: 400, code: 'invalid_request', message: expect.stringContaining('mode') },
  },
  {
    name: 'a value that is not known is named with those that are',
    send: () => call(sync.url, { sync_type: 'hourly' }),
    expected: {
      status: 400,
      code: 'invalid_request',
      message: expect.stringMatching(/sync_type .*scheduled, membership, manual, webhook/),
    },
  },
  {
    name: 'a body that is no object is refused',
    send: () => call(sync.url, [1]),
    expected: { status: 400, code: 'invalid_request' },
  },
  {
    name: 'JSON that does not parse is refused',
    send: () => call(sync.url, {}, { body: '{' }),
    expected: { status: 400 },
  },
  {
    name: 'parameters that do not go together are refused',
    send: () => call(sync.url, { undo: 1, mode: 'full' }),
    expected: { status: 400, code: 'invalid_request', message: expect.stringContaining('undo') },
  },
  {
    name: 'incremental without a parameter for it is refused',
    send: () => call(sync.url, { mode: 'incremental' }),
    expected: { status: 400, code: 'invalid_request' },
  },
  {
    name: 'a caller without a key is refused',
    send: () => request(sync.url, { method: 'POST' }),
    expected: { status: 401, code: 'unauthorized' },
  },
  {
    name: 'a caller with another key is refused',
    send: () => call(sync.url, {}, { headers: { Authorization: 'Bearer sync-testz' } }),
    expected: { status: 401, code: 'unauthorized' },
  },
  {
    name: 'another path is not found',
    send: () => call(`${sync.url}/sync/now`),
    expected: { status: 404, code: 'not_found' },
  },
  {
    name: 'a run that never was cannot be undone',
    send: () => call(sync.url, { undo: 2_000_000 }),
    expected: { status: 404, code: 'not_found' },
  },
  {
    name: 'a body above 64 KiB is too large',
    send: () => call(sync.url, { external_ids: ['1'.repeat(70_000)] }),
    expected: { status: 413, code: 'payload_too_large' },
  },
];

test.each(refusals)('$name', async ({ send, expected }) => {
  const asked = surroundings.django.requests.length;
  expect(errorOf(await send())).toMatchObject(expected);
  expect(surroundings.django.requests).toHaveLength(asked);
});

test('another method is refused with the one that is allowed', async () => {
  const reply = await request(sync.url, { headers: asAdmin });
  expect(errorOf(reply)).toMatchObject({ status: 405, code: 'method_not_allowed' });
  expect(reply.headers.get('allow')).toBe('POST');
});

test('an error that nobody expected is 500 and tells no detail', async () => {
  const { database } = surroundings;
  await database.query(`
    create function boom() returns trigger language plpgsql as
      $$ begin raise exception 'the phone column is odd'; end $$;
    create trigger boom before insert or update on public.members
      for each statement execute function boom();
  `);
  const reply = await call(sync.url);
  await database.query('drop trigger boom on public.members; drop function boom()');
  expect(errorOf(reply)).toMatchObject({ status: 500, code: 'internal_error' });
  expect(reply.text).not.toMatch(/phone|column|select|stack|node/i);
  expect(await lastRun()).toMatchObject({
    status: 'failed',
    details: { error: { code: 'internal_error' } },
  });
  const line = sync.output().find((each) => each.includes('internal_error'));
  expect(JSON.parse(String(line))).toMatchObject({ severity: 'ERROR' });
});

test('with SYNC_ENABLED=false a run is skipped without a look at register or database', async () => {
  const before = await dump(surroundings.database.url);
  const { status, json } = await call(disabled.url);
  expect([status, json]).toEqual([200, { status: 'skipped', reason: 'sync_disabled' }]);
  expect((await call(disabled.url, { sync_type: 'hourly' })).status).toBe(400);
  expect(await dump(surroundings.database.url)).toEqual(before);
  expect(surroundings.django.requests).toEqual([]);
});

test('two calls at once, served by two instances: one is 409 and the other does the run', async () => {
  const { env, django, database } = surroundings;
  const other = await startBundle('syncScheduled', env);
  django.behaviour.latencyMs = 300;
  const replies = await Promise.all([call(sync.url), call(other.url)]);
  django.behaviour.latencyMs = 0;
  await other.stop();
  const [done, refused] = replies.toSorted((a, b) => a.status - b.status) as [Reply, Reply];
  expect([done.status, done.json['status']]).toEqual([200, 'success']);
  expect(errorOf(refused)).toMatchObject({ status: 409, code: 'sync_in_progress' });
  const [rows] = await database.query(
    'select count(*)::int as members, count(distinct kennitala)::int as people from public.members',
  );
  expect(rows).toEqual({ members: 5, people: 5 });
});

test('a database that was stopped is 503 for every function, and none when it is back', async () => {
  expect((await call(orphans.syncScheduled.url)).status).toBe(200);
  expect((await get(orphans.syncStatus.url)).status).toBe(200);
  const back = postgres.port;
  await postgres.restart();
  expect(postgres.port).toBe(back);
  // The pool of syncStatus holds a connection that died with the server.
  expect((await get(orphans.syncStatus.url)).json).toMatchObject({ status: 'ok' });

  await postgres.stop();
  const replies = await Promise.all([
    call(orphans.syncScheduled.url),
    call(orphans.syncDryRun.url),
    get(orphans.syncStatus.url),
    get(orphans.syncLogs.url),
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
  const lost = await startBundle('syncScheduled', { ...surroundings.env, DATABASE_URL });
  const reply = await call(lost.url);
  await lost.stop();
  expect(errorOf(reply)).toMatchObject({ status: 503, code: 'database_unavailable' });
  expect(reply.text + lost.output().join()).not.toMatch(/nobody|nothing/);
});
