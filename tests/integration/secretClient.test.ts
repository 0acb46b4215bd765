import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { startBundle } from '../support/bundle.ts';
import { request } from '../support/testServer.ts';

const servers: (() => void)[] = [];
const folders: string[] = [];
afterAll(() => {
  for (const stop of servers) stop();
  for (const folder of folders) rmSync(folder, { recursive: true });
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
  (await request(url, { headers: { Authorization: 'Bearer the-key' } })).json['error'];

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

/** What Google answers to whoever asks for a token or, with one, for the secret. */
const answers: Record<string, object> = {
  'oauth2.googleapis.com/token': { access_token: 'of-a-token-endpoint', expires_in: 3600 },
  'sts.googleapis.com/v1/token': {
    access_token: 'of-the-federation',
    expires_in: 3600,
    issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    token_type: 'Bearer',
  },
  'iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/runs@p.iam.gserviceaccount.com:generateAccessToken':
    { accessToken: 'of-the-impersonated', expireTime: '2100-01-01T00:00:00Z' },
  'secretmanager.googleapis.com/v1/projects/p/secrets/key/versions/latest:access': secret,
};

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const user = {
  type: 'authorized_user',
  client_id: 'client',
  client_secret: 'made up',
  refresh_token: 'made up',
};
const impersonation =
  'https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/runs@p.iam.gserviceaccount.com:generateAccessToken';
const federation = {
  type: 'external_account',
  audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/a/providers/b',
  subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
  token_url: 'https://sts.googleapis.com/v1/token',
  // Whatever the machine vouches with; Google's part is played.
  credential_source: { file: __filename },
};

// The kinds of https://google.aip.dev/auth that a machine without a metadata server can have.
test.each([
  [
    'a key file of a service account',
    {
      type: 'service_account',
      client_email: 'runs@p.iam.gserviceaccount.com',
      private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    },
    // Signed by itself: no token is fetched.
    ['Bearer eyJ'],
  ],
  ['the credentials of a person', user, ['oauth2.googleapis.com', 'Bearer of-a-token-endpoint']],
  ['workload identity federation', federation, ['sts.googleapis.com', 'Bearer of-the-federation']],
  [
    'federation that acts for a service account',
    { ...federation, service_account_impersonation_url: impersonation },
    ['sts.googleapis.com', 'iamcredentials.googleapis.com', 'Bearer of-the-impersonated'],
  ],
  [
    'a person who acts for a service account',
    {
      type: 'impersonated_service_account',
      service_account_impersonation_url: impersonation,
      source_credentials: user,
    },
    ['oauth2.googleapis.com', 'iamcredentials.googleapis.com', 'Bearer of-the-impersonated'],
  ],
])('the built function reads its secret with %s', async (_, credentials, expected) => {
  const asked: string[] = [];
  const port = await listen(({ url, headers }, response) => {
    const host = headers.host ?? '';
    const isSecret = host.startsWith('secretmanager.');
    asked.push(isSecret ? (headers.authorization?.replace(/(eyJ).*/, '$1') ?? '') : host);
    const answer = answers[`${host}${url?.split('?')[0]}`];
    response.writeHead(answer ? 200 : 404, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(answer ?? {}));
  });
  const file = join(mkdtempSync(join(tmpdir(), 'credentials-')), 'credentials.json');
  folders.push(dirname(file));
  writeFileSync(file, JSON.stringify(credentials));
  const { url } = await start(port, {
    GOOGLE_APPLICATION_CREDENTIALS: file,
    METADATA_SERVER_DETECTION: 'none',
  });
  expect([await ask(url), asked]).toEqual([
    expect.objectContaining({ code: 'database_unavailable' }),
    expected,
  ]);
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

test('what reading a secret does not take is not built in: gRPC, other services, their schemas', () => {
  for (const name of ['syncScheduled', 'syncDryRun', 'syncStatus', 'syncLogs']) {
    const code = readFileSync(join(__dirname, '../../dist', name, 'index.js'), 'utf8');
    const unneeded = [
      'loadPackageDefinition',
      'ListSecretsRequest',
      'ListLocationsRequest',
      'FileOptions',
    ];
    expect(unneeded.filter((word) => code.includes(word))).toEqual([]);
    expect(code.includes('AccessSecretVersionRequest')).toBe(true);
  }
});
