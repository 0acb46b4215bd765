import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startBundle } from '../support/bundle.ts';
import { request } from '../support/http.ts';

const servers: (() => void)[] = [];
afterAll(() => {
  for (const stop of servers) stop();
});

async function listen(answer: RequestListener): Promise<number> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  servers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** What Secret Manager answers. */
const secret = { payload: { data: Buffer.from('the-key').toString('base64') } };

/** The metadata server of an instance, as far as tokens go. */
const listenAsMetadata = () =>
  listen(({ url }, response) => {
    response.setHeader('Metadata-Flavor', 'Google');
    response.setHeader('Content-Type', 'application/json');
    response.statusCode = url?.includes('/service-accounts/default/token') ? 200 : 404;
    response.end('{"access_token":"of-the-instance","expires_in":3600,"token_type":"Bearer"}');
  });

/** A built function that looks for its admin key in Google's Secret Manager: what goes there, `port` gets. */
async function start(port: number, environment: Record<string, string>) {
  const redirect = `
    import http from 'node:http';
    import https from 'node:https';
    https.request = (url, options) => {
      const { host, pathname, search } = new URL(url);
      const to = 'http://127.0.0.1:${port}' + pathname + search;
      return http.request(to, { ...options, agent: undefined, headers: { ...options.headers, host } });
    };`;
  return startBundle('syncStatus', {
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(redirect)}`,
    NODE_ENV: 'test',
    K_SERVICE: 'syncstatus',
    GOOGLE_CLOUD_PROJECT: 'p',
    DATABASE_URL: 'postgresql://u:p@127.0.0.1:1/db',
    ADMIN_API_KEY: 'sm://p/key',
    ...environment,
  });
}

// Past the key there is no database: 401 and 503 for the secret come before.
const ask = async (url: string) =>
  (await request(url, { headers: { Authorization: 'Bearer the-key' } })).body['error'];

test('the built function reads its secret with the token of its instance', async () => {
  const asked: unknown[] = [];
  const port = await listen(({ method, url, headers }, response) => {
    asked.push([method, headers.host, url?.split('?')[0], headers.authorization]);
    response.end(JSON.stringify(secret));
  });
  const metadata = await listenAsMetadata();
  const { url } = await start(port, { GCE_METADATA_HOST: `127.0.0.1:${metadata}` });
  expect(await ask(url)).toMatchObject({ code: 'database_unavailable' });
  const path = '/v1/projects/p/secrets/key/versions/latest:access';
  expect(asked).toEqual([['GET', 'secretmanager.googleapis.com', path, 'Bearer of-the-instance']]);
});

test('an answer that Secret Manager is busy with is asked for once more', async () => {
  const statuses = [503, 200];
  const port = await listen((_, response) => {
    response.statusCode = statuses.shift() ?? 200;
    const error = { code: 503, message: 'busy', status: 'UNAVAILABLE' };
    response.end(JSON.stringify(response.statusCode === 503 ? { error } : secret));
  });
  const metadata = await listenAsMetadata();
  const { url } = await start(port, { GCE_METADATA_HOST: `127.0.0.1:${metadata}` });
  expect(await ask(url)).toMatchObject({ code: 'database_unavailable' });
  expect(statuses).toEqual([]);
});

test.each([
  [403, 'PERMISSION_DENIED', 'roles/secretmanager.secretAccessor'],
  [404, 'NOT_FOUND', 'there is no such secret or version'],
  [401, 'UNAUTHENTICATED', 'there are no credentials for Secret Manager'],
])('a refusal with %i is told', async (code, status, words) => {
  const port = await listen((_, response) => {
    response.writeHead(code, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify({ error: { code, message: 'refused', status } }));
  });
  const metadata = await listenAsMetadata();
  const { url } = await start(port, { GCE_METADATA_HOST: `127.0.0.1:${metadata}` });
  expect(await ask(url)).toMatchObject({
    code: 'secrets_unavailable',
    message: expect.stringContaining(words),
  });
});

test('where there are no credentials, that is told', async () => {
  const none = { METADATA_SERVER_DETECTION: 'none', K_SERVICE: '', HOME: '/nonexistent' };
  const { url } = await start(1, none);
  expect(await ask(url)).toMatchObject({
    message: expect.stringContaining('there are no credentials for Secret Manager'),
  });
});
