import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { statusOf } from '../../lib/errors.ts';
import { freePort } from '../../local/freePort.ts';
import { startGateway } from '../../local/start/gateway.ts';
import { openApiDocument } from '../../scripts/openapi/document.ts';
import { operations } from '../../scripts/openapi/operations.ts';
import { type Bundle, startBundle } from '../support/bundle.ts';
import type { Row } from '../support/database.ts';
import { startSecretManager } from '../support/secretManager.ts';
import { until } from '../support/until.ts';
import { createWorld, type World } from '../support/world.ts';

const execute = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const read = (path: string) => readFile(join(root, path), 'utf8');

let world: World;
const bundles = new Map<string, Bundle>();
beforeAll(async () => {
  world = await createWorld({ members: 40 });
  const environment = { ...world.settings, ADMIN_API_KEY: 'local' };
  await Promise.all(
    operations.map(async ({ name }) => bundles.set(name, await startBundle(name, environment))),
  );
});

interface Response {
  content: { 'application/json': { schema: object } };
}
interface Document {
  paths: Record<string, Record<string, { responses: Record<string, Response> }>>;
}
const document = openApiDocument('0.0.0', { strict: true }) as unknown as Document;
const ajv = new Ajv2020({ strict: false, allErrors: true });
ajv.addFormat(
  'date-time',
  (text: string) => /^\d{4}-\d\d-\d\dT/.test(text) && !Number.isNaN(Date.parse(text)),
);
ajv.addSchema({ $id: 'openapi', ...document });

interface Ask {
  method?: 'get' | 'post';
  body?: unknown;
  query?: string;
  headers?: Record<string, string>;
  /** Instead of the function's usual process. */
  at?: Bundle;
}

/** Calls a function and holds its answer against the document, whatever it is. */
async function call(name: string, { method = 'post', body, query = '', headers, at }: Ask = {}) {
  const operation = operations.find((one) => one.name === name);
  const bundle = at ?? bundles.get(name);
  if (!operation || !bundle) throw new Error(`There is no function ${name}`);
  const response = await fetch(`${bundle.url}${operation.path}${query}`, {
    method: method.toUpperCase(),
    headers: { authorization: 'Bearer local', 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer = (await response.json()) as Row;
  expect(problemsOf(operation.path, method, response.status, answer)).toEqual([]);
  return { status: response.status, body: answer };
}

function problemsOf(path: string, method: string, status: number, answer: unknown): string[] {
  // A method that is not offered is answered as the function's own one would be.
  const described = document.paths[path]?.[method] ?? Object.values(document.paths[path] ?? {})[0];
  const response = described?.responses[status];
  if (!response) return [`${method} ${path} may not answer ${status}`];
  const schema = JSON.stringify(response.content['application/json'].schema);
  const validate = ajv.compile(JSON.parse(schema.replaceAll('"#/', '"openapi#/')));
  return validate(answer)
    ? []
    : (validate.errors ?? []).map(
        ({ instancePath, message, params }) =>
          `${instancePath} ${message} ${JSON.stringify(params)}`,
      );
}

describe('the document', () => {
  test('docs/openapi.json is what the schemas say; if not, run npm run docs', async () => {
    const { version } = JSON.parse(await read('package.json'));
    expect(JSON.parse(await read('docs/openapi.json'))).toEqual(openApiDocument(version));
  });

  test('it describes every function that is built, and no other', async () => {
    const described = operations.map(({ name, path }) => [name, path]);
    expect(described.toSorted()).toEqual([
      ['health', '/health'],
      ['syncDryRun', '/sync/dry-run'],
      ['syncLogs', '/sync/logs'],
      ['syncScheduled', '/sync'],
      ['syncStatus', '/sync/status'],
    ]);
  });

  test('every code of an error has its row in the API guide, with its status', async () => {
    const guide = await read('docs/API.md');
    const rows = [...guide.matchAll(/^\| `(\w+)` +\| (\d{3}) +\|/gm)];
    expect(Object.fromEntries(rows.map(([, code, status]) => [code, Number(status)]))).toEqual(
      statusOf,
    );
  });

  test('an answer with a field too many, or one too few, is noticed', () => {
    const healthy = { status: 'healthy', service: 'membership-sync' };
    expect(problemsOf('/health', 'get', 200, healthy)).toEqual([]);
    expect(problemsOf('/health', 'get', 200, { ...healthy, version: 1 })).toHaveLength(1);
    expect(problemsOf('/health', 'get', 200, { status: 'healthy' })).toHaveLength(1);
    expect(problemsOf('/health', 'get', 418, healthy)).toEqual(['get /health may not answer 418']);
    expect(
      problemsOf('/sync', 'post', 400, { error: { code: 'no_such_code', message: '' } }),
    ).toHaveLength(1);
  });
});

// In this order: each builds on the members that the one before left.
describe('real answers are as the document says', () => {
  test('before the first run', async () => {
    expect((await call('health', { method: 'get' })).status).toBe(200);
    expect((await call('syncStatus')).body).toMatchObject({
      status: 'never_synced',
      last_run: null,
    });
    expect((await call('syncLogs')).body).toEqual({ logs: [], next_before: null });
  });

  test('a dry run, a run, and a run that set a record aside', async () => {
    const look = await call('syncDryRun', { body: { limit: 5 } });
    expect(look.body['changes']).toHaveLength(5);
    expect((await call('syncScheduled')).body).toMatchObject({
      status: 'success',
      members_added: 40,
    });
    world.django.members.addRaw({ id: 999, kennitala: 12, name: 'Ólæsileg' });
    const partial = await call('syncScheduled', { body: { sync_type: 'manual', mode: 'full' } });
    expect(partial.body).toMatchObject({ status: 'partial', error_count: 1 });
    world.django.members.remove(999);
  });

  test('a change that is held, looked at, approved and undone', async () => {
    for (const { id } of world.django.members.list().slice(0, 15)) world.django.members.remove(id);
    const held = await call('syncScheduled');
    expect(held.body).toMatchObject({ status: 'held', held: { removals: { count: 15 } } });
    const look = await call('syncDryRun');
    expect(look.body).toMatchObject({ status: 'held', plan: held.body['plan'] });
    const stale = await call('syncScheduled', { body: { plan: `sha256:${'0'.repeat(64)}` } });
    expect(stale.status).toBe(409);
    expect(stale.body['error']).toMatchObject({ code: 'plan_changed', plan: held.body['plan'] });
    const approved = await call('syncScheduled', { body: { plan: held.body['plan'] } });
    expect(approved.body).toMatchObject({ status: 'success', members_removed: 15 });
    const undo = approved.body['run_id'];
    const inverse = await call('syncDryRun', { body: { undo, details: true } });
    const body = { undo, plan: inverse.body['plan'] };
    const undone = await call('syncScheduled', { body });
    expect(undone.body).toMatchObject({ sync_type: 'undo', members_reactivated: 15 });
  });

  test('some members only', async () => {
    const answer = await call('syncScheduled', { body: { external_ids: ['20', 21] } });
    expect(answer.body).toMatchObject({ mode: 'selected', sync_type: 'webhook' });
  });

  test('a run that goes on, and one that is refused meanwhile', async () => {
    let release = () => {};
    const walking = new Promise<void>((resolve) => {
      world.django.behaviour.onRequest = () => {
        resolve();
        return new Promise<void>((open) => {
          release = open;
        });
      };
    });
    const run = call('syncScheduled');
    await walking;
    const status = await until(async () => {
      const { body } = await call('syncStatus', { method: 'get' });
      return body['running']?.['phase' as never] === 'fetch' && body;
    });
    expect(status).toMatchObject({ status: 'running' });
    const refused = await call('syncScheduled');
    expect([refused.status, refused.body]).toEqual([
      409,
      { error: { code: 'sync_in_progress', message: expect.any(String) } },
    ]);
    world.django.behaviour.onRequest = () => undefined;
    release();
    expect((await run).status).toBe(200);
  });

  test('a run that fails, and the log with everything until now', async () => {
    world.django.misbehave({ kind: 'status', status: 503 });
    const failed = await call('syncScheduled');
    expect([failed.status, failed.body['error']]).toEqual([
      502,
      expect.objectContaining({ code: 'django_error', run_id: expect.any(Number) }),
    ]);
    world.django.clear();
    expect((await call('syncStatus')).body).toMatchObject({ status: 'failing' });

    const first = await call('syncLogs', { method: 'get', query: '?limit=3' });
    expect(first.body['logs']).toHaveLength(3);
    const rest = await call('syncLogs', {
      body: { limit: 200, before: first.body['next_before'] as number },
    });
    const states = [...(first.body['logs'] as Row[]), ...(rest.body['logs'] as Row[])].map(
      ({ status }) => status,
    );
    expect(new Set(states)).toEqual(new Set(['failed', 'success', 'held', 'partial', 'refused']));
    expect(rest.body['next_before']).toBeNull();
  });

  const refusals: { name: string; ask: Ask; status: number; code: string }[] = [
    { name: 'a field nobody knows', ask: { body: { x: 1 } }, status: 400, code: 'invalid_request' },
    {
      name: 'no credential that is right',
      ask: { headers: { authorization: 'Bearer wrong' } },
      status: 401,
      code: 'unauthorized',
    },
    { name: 'an undo of no run', ask: { body: { undo: 99_999 } }, status: 404, code: 'not_found' },
    { name: 'a GET', ask: { method: 'get' }, status: 405, code: 'method_not_allowed' },
    {
      name: 'a body that is far too long',
      ask: { body: { plan: 'x'.repeat(70_000) } },
      status: 413,
      code: 'payload_too_large',
    },
  ];
  test.each(refusals)('$name is refused with $status', async ({ ask, status, code }) => {
    for (const name of ['syncScheduled', 'syncDryRun']) {
      const answer = await call(name, ask);
      expect([answer.status, answer.body['error']]).toEqual([
        status,
        expect.objectContaining({ code }),
      ]);
    }
  });

  test('a caller who is not on the list, a database and a secret that are not there', async () => {
    const claims = Buffer.from(JSON.stringify({ email: 'x@felag.example' })).toString('base64url');
    const [stranger, offline, secretless] = await Promise.all([
      startBundle('syncStatus', {
        ...world.settings,
        AUTH_MODE: 'iam',
        ALLOWED_CALLERS: 'admin@felag.example',
      }),
      startBundle('syncLogs', {
        DATABASE_URL: `postgresql://u:p@127.0.0.1:${await freePort()}/db`,
        ADMIN_API_KEY: 'local',
      }),
      startBundle('syncScheduled', {
        ...world.settings,
        ADMIN_API_KEY: 'local',
        DJANGO_API_KEY: 'sm://project/django-key',
        SECRET_MANAGER_EMULATOR_HOST: (await startSecretManager()).host,
      }),
    ]);
    const headers = {
      authorization: `Bearer eyJhbGciOiJSUzI1NiJ9.${claims}.SIGNATURE_REMOVED_BY_GOOGLE`,
    };
    const answers = [
      await call('syncStatus', { at: stranger, headers }),
      await call('syncLogs', { at: offline }),
      await call('syncScheduled', { at: secretless }),
    ];
    expect(answers.map(({ status, body }) => [status, (body['error'] as Row)['code']])).toEqual([
      [403, 'forbidden'],
      [503, 'database_unavailable'],
      [503, 'secrets_unavailable'],
    ]);
  });

  test('a sync that is switched off', async () => {
    const off = await startBundle('syncScheduled', {
      ...world.settings,
      ADMIN_API_KEY: 'local',
      SYNC_ENABLED: 'false',
    });
    expect((await call('syncScheduled', { at: off })).body).toEqual({
      status: 'skipped',
      reason: 'sync_disabled',
    });
  });

  test('every curl line of the API guide is answered with 200, and as the document says', async () => {
    for (const { id } of world.django.members.list().slice(0, 15)) world.django.members.remove(id);
    expect((await call('syncScheduled')).body).toMatchObject({ status: 'held' });
    const gateway = await startGateway(0);
    const ports = [...bundles].map(([name, { url }]) => [name, Number(new URL(url).port)] as const);
    gateway.route(new Map(ports));
    const [last] = await world.database.query<{ plan: string; run: number }>(
      `select (select plan from public.sync_log order by id desc limit 1),
        (select max(run_id) from public.member_changes) as run`,
    );
    const environment = {
      PATH: process.env['PATH'],
      URL: gateway.url,
      KEY: 'local',
      PLAN: last?.plan,
      RUN: String(last?.run),
    };
    const lines = [...(await read('docs/API.md')).matchAll(/^curl [^\n]*\$URL[^\n]*$/gm)].map(
      ([line]) => line,
    );
    expect(lines.length).toBeGreaterThan(8);
    for (const line of lines) {
      const command = line.replace('curl ', 'curl -sS --fail-with-body ');
      const { stdout } = await execute('bash', ['-c', command], { env: environment });
      const path = /\$URL(\/[\w/-]*)/.exec(line)?.[1] ?? '';
      const method = /-X POST/.test(line) ? 'post' : 'get';
      expect([line, problemsOf(path, method, 200, JSON.parse(stdout))]).toEqual([line, []]);
    }
    await gateway.stop();
    const undone = await world.database.query(
      "select 1 from public.sync_log where sync_type = 'undo' and status <> 'failed'",
    );
    expect(undone.length).toBeGreaterThan(1);
  });

  test('gcloud, which shows no other answer, gets an error with status 200', async () => {
    const response = await fetch(`${bundles.get('syncLogs')?.url}/`, {
      method: 'POST',
      headers: { 'user-agent': 'google-cloud-sdk gcloud/528.0.0 command/gcloud.functions.call' },
    });
    const answer = (await response.json()) as { error: Row };
    expect([response.status, answer.error['code']]).toEqual([200, 'unauthorized']);
    expect(problemsOf('/sync/logs', 'post', 401, answer)).toEqual([]);
  });
});
