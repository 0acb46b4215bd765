import { http } from '@google-cloud/functions-framework';
import { endpoint } from '../../lib/http/endpoint.ts';
import { createSecretFetcher } from '../../lib/secretManager.ts';
import { request } from '../support/http.ts';
import { serveFunction } from '../support/inProcess.ts';
import { type FakeSecretManager, startSecretManager } from '../support/secretManager.ts';
import { until } from '../support/until.ts';

const url = 'postgresql://u:p@h/db';
let fake: FakeSecretManager;
beforeAll(async () => {
  fake = await startSecretManager();
});
beforeEach(() => {
  fake.requests = [];
  fake.secrets = { db: url, key: 'the-key' };
});

/** A function that answers with the lengths of its secrets. */
async function serve(name: string, changes: Record<string, string> = {}): Promise<string> {
  const environment = {
    NODE_ENV: 'test',
    LOG_LEVEL: 'CRITICAL',
    SECRET_MANAGER_EMULATOR_HOST: fake.host,
    ADMIN_API_KEY: 'sm://p/key',
    DATABASE_URL: 'sm://p/db#7',
    ...changes,
  };
  const definition = { name, path: `/${name}`, methods: ['GET'], needs: ['database'] as const };
  http(
    name,
    endpoint(
      {
        ...definition,
        answer: async ({ secrets }) => ({
          body: {
            url: await secrets.DATABASE_URL.get(),
            again: await secrets.DATABASE_URL.renew(url),
          },
        }),
      },
      environment,
    ),
  );
  return serveFunction(name);
}

const ask = (origin: string, key = 'the-key') =>
  request(origin, { headers: { Authorization: `Bearer ${key}` } });

test('every reference is fetched as the function loads, before any request', async () => {
  await serve('eager');
  await until(() => fake.requests.length === 2);
  expect(fake.requests.sort()).toEqual([
    '/v1/projects/p/secrets/db/versions/7:access',
    '/v1/projects/p/secrets/key/versions/latest:access',
  ]);
});

test('the first request waits for them, and later ones find them there', async () => {
  const origin = await serve('waiting', { DATABASE_URL: 'sm://p/db' });
  const first = await ask(origin);
  expect(first).toMatchObject({ status: 200, body: { url } });
  expect(first.body['again']).toBeUndefined();
  await ask(origin);
  expect(fake.requests.filter((path) => path.includes('/key/'))).toHaveLength(1);
});

test('a value that has changed is found when it is asked for again', async () => {
  const origin = await serve('rotated', { DATABASE_URL: 'sm://p/db' });
  await until(() => fake.requests.length === 2);
  fake.secrets['db'] = `${url}2`;
  expect((await ask(origin)).body).toEqual({ url, again: `${url}2` });
});

test('a rotated admin key is accepted from its first use', async () => {
  const origin = await serve('rotatedKey');
  expect((await ask(origin)).status).toBe(200);
  fake.secrets['key'] = 'the-new-key';
  expect((await ask(origin, 'the-new-key')).status).toBe(200);
  expect((await ask(origin, 'the-key')).status).toBe(401);
});

test('plain values need no Secret Manager', async () => {
  const origin = await serve('plain', { ADMIN_API_KEY: 'the-key', DATABASE_URL: url });
  expect((await ask(origin)).body).toMatchObject({ url });
  expect(fake.requests).toEqual([]);
});

describe('a secret that cannot be used is 503 and named, and the next request tries again:', () => {
  const cases = [
    {
      name: 'missing',
      stored: { status: 404, code: 'NOT_FOUND' },
      reason: 'there is no such secret or version',
    },
    {
      name: 'denied',
      stored: { status: 403, code: 'PERMISSION_DENIED' },
      reason: 'this service account may not read it',
    },
    {
      name: 'disabled',
      stored: { status: 400, code: 'FAILED_PRECONDITION' },
      reason: 'disabled or destroyed',
    },
    { name: 'damaged', stored: 'damaged', reason: 'damaged on its way' },
    { name: 'wrong', stored: 'hunter2', reason: 'must be a postgresql:// URL' },
    { name: 'empty', stored: '\n', reason: 'is empty' },
  ];
  test.each(cases)('$name', async ({ name, stored, reason }) => {
    fake.secrets['db'] = stored as string;
    const origin = await serve(name);
    const reply = await ask(origin);
    expect(reply.status).toBe(503);
    expect(reply.body).toMatchObject({
      error: { code: 'secrets_unavailable', message: expect.stringContaining(reason) },
    });
    expect(reply.text).toContain('DATABASE_URL');
    expect(reply.text).not.toContain('hunter2');
    fake.secrets['db'] = url;
    expect((await ask(origin)).status).toBe(200);
  });
});

test('an admin key that cannot be read lets nobody in', async () => {
  fake.secrets['key'] = { status: 403, code: 'PERMISSION_DENIED' };
  const reply = await ask(await serve('keyless'), '');
  expect(reply.status).toBe(401);
  expect((await ask(await serve('keyless'), 'x')).status).toBe(503);
});

test('a Secret Manager that does not answer is given up after five seconds', async () => {
  fake.secrets['db'] = 'silent';
  const fetching = createSecretFetcher(fake.host)('projects/p/secrets/db/versions/1');
  await expect(fetching).rejects.toThrow(/no answer within 5 seconds|DEADLINE_EXCEEDED|timeout/i);
});

test('a regional secret is asked for by its own name', async () => {
  fake.secrets['regional'] = 'value';
  const name = 'projects/p/locations/europe-west2/secrets/regional/versions/latest';
  await expect(createSecretFetcher(fake.host)(name)).resolves.toBe('value');
  expect(fake.requests).toEqual([`/v1/${name}:access`]);
});
