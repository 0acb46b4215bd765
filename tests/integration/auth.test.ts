import { createSign, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { http } from '@google-cloud/functions-framework';
import { endpoint } from '../../lib/http/endpoint.ts';
import { request } from '../support/http.ts';
import { serveFunction } from '../support/inProcess.ts';

// Google's signature is made here: a key pair, and the public half served as Google serves its own.
const google = generateKeyPairSync('rsa', { modulusLength: 2048 });
const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 });
const audience = 'https://syncscheduled-abc.a.run.app';
const gcloudAudience = '32555940559.apps.googleusercontent.com';
const email = 'sched@p.iam.gserviceaccount.com';
const key = 'the-admin-key';

let certs: Server;
let certsUrl: string;
let fetched = 0;
let serving = true;
beforeAll(async () => {
  const pem = google.publicKey.export({ type: 'spki', format: 'pem' });
  certs = createServer((_request, response) => {
    fetched += 1;
    if (!serving) return response.writeHead(404).end();
    response.setHeader('Cache-Control', 'public, max-age=20000');
    return response.setHeader('Content-Type', 'application/json').end(JSON.stringify({ one: pem }));
  }).listen(0, '127.0.0.1');
  await once(certs, 'listening');
  certsUrl = `http://127.0.0.1:${(certs.address() as AddressInfo).port}/certs`;
});
afterAll(() => {
  certs.closeAllConnections();
  certs.close();
});
beforeEach(() => {
  jest.spyOn(process.stdout, 'write').mockReturnValue(true);
});
afterEach(() => {
  jest.restoreAllMocks();
});

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
function token(changes: object = {}, { signer = google.privateKey, kid = 'one' } = {}): string {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: 'https://accounts.google.com',
    aud: audience,
    sub: '1084',
    email,
    email_verified: true,
    iat: now,
    exp: now + 3600,
    ...changes,
  };
  const signed = `${part({ alg: 'RS256', kid, typ: 'JWT' })}.${part(claims)}`;
  return `${signed}.${createSign('RSA-SHA256').update(signed).sign(signer).toString('base64url')}`;
}

let functions = 0;
async function serve(changes: Record<string, string>): Promise<string> {
  functions += 1;
  const name = `guarded${functions}`;
  const environment = { NODE_ENV: 'test', ADMIN_API_KEY: key, LOG_LEVEL: 'DEBUG', ...changes };
  const definition = { name, path: `/${name}`, methods: ['POST'], needs: [] };
  http(
    name,
    endpoint({ ...definition, answer: async ({ caller }) => ({ body: { caller } }) }, environment),
  );
  return serveFunction(name);
}
const ask = (origin: string, credential: string, headers: Record<string, string> = {}) =>
  request(origin, {
    method: 'POST',
    headers: { Authorization: `Bearer ${credential}`, ...headers },
  });

describe('at a public URL (AUTH_MODE=key)', () => {
  let origin: string;
  beforeAll(async () => {
    origin = await serve({
      AUTH_AUDIENCE: `${audience},${gcloudAudience}`,
      ALLOWED_CALLERS: `admin@x.is, ${email}`,
      AUTH_CERTS_URL: certsUrl,
    });
  });

  test('the admin key is accepted, and nothing is fetched for it', async () => {
    expect(await ask(origin, key)).toMatchObject({ status: 200, body: { caller: 'admin-key' } });
    expect(fetched).toBe(0);
  });

  test("a stranger's audience costs no fetch either", async () => {
    expect((await ask(origin, token({ aud: 'https://other.example' }))).status).toBe(401);
    expect(fetched).toBe(0);
  });

  test.each([audience, gcloudAudience])(
    'a token signed by Google for %s is accepted',
    async (aud) => {
      expect(await ask(origin, token({ aud }))).toMatchObject({
        status: 200,
        body: { caller: email },
      });
    },
  );

  test('a caller that is not on the list is forbidden', async () => {
    expect((await ask(origin, token({ email: 'b@x.is' }))).status).toBe(403);
  });

  const hour = 3600;
  const past = Math.floor(Date.now() / 1000) - 2 * hour;
  test.each([
    { name: 'signed by somebody else', bad: () => token({}, { signer: stranger.privateKey }) },
    { name: 'signed with an unknown key', bad: () => token({}, { kid: 'two' }) },
    { name: 'expired', bad: () => token({ iat: past, exp: past + hour }) },
    { name: 'from the future', bad: () => token({ iat: past + 4 * hour, exp: past + 5 * hour }) },
    { name: 'of another issuer', bad: () => token({ iss: 'https://issuer.example' }) },
    { name: 'of an e-mail that is not verified', bad: () => token({ email_verified: false }) },
    { name: 'without an e-mail', bad: () => token({ email: undefined }) },
    {
      name: 'whose claims were changed',
      bad: () => token().replace(/\.[^.]+\./, `.${part({ aud: audience, email })}.`),
    },
    {
      name: 'without its signature',
      bad: () => token().replace(/[^.]*$/, 'SIGNATURE_REMOVED_BY_GOOGLE'),
    },
    {
      name: 'that says it needs no signature',
      bad: () => `${part({ alg: 'none' })}.${token().split('.')[1]}.`,
    },
  ])('a token $name is refused, and never logged', async ({ bad }) => {
    const credential = bad();
    const reply = await ask(origin, credential);
    expect(reply.status).toBe(401);
    expect(reply.body).toMatchObject({ error: { code: 'unauthorized' } });
    const logged = jest
      .mocked(process.stdout.write)
      .mock.calls.map(([line]) => String(line))
      .join('');
    expect(logged).toContain('"severity":"WARNING"');
    for (const piece of credential.split('.')) {
      if (piece !== '' && piece !== 'SIGNATURE_REMOVED_BY_GOOGLE') {
        expect(logged).not.toContain(piece);
      }
    }
  });

  test.each([
    ['no list of callers', { AUTH_AUDIENCE: audience }],
    ['no audience', { ALLOWED_CALLERS: email }],
  ])('with %s no token is accepted at all', async (_name, changes) => {
    const closed = await serve({ AUTH_CERTS_URL: certsUrl, ...changes });
    expect((await ask(closed, token())).status).toBe(401);
  });

  test('a token is refused while the public keys cannot be fetched, and the log says so', async () => {
    const fresh = await serve({
      AUTH_AUDIENCE: audience,
      ALLOWED_CALLERS: email,
      AUTH_CERTS_URL: certsUrl,
    });
    serving = false;
    expect((await ask(fresh, token())).status).toBe(401);
    expect(process.stdout.write).toHaveBeenCalledWith(
      expect.stringContaining('"event":"certificates_unavailable"'),
    );
    serving = true;
    expect((await ask(fresh, token())).status).toBe(200);
  });
});

describe('behind IAM (AUTH_MODE=iam)', () => {
  const stripped = () => token().replace(/[^.]*$/, 'SIGNATURE_REMOVED_BY_GOOGLE');

  test('the identity that the platform leaves is the caller', async () => {
    const origin = await serve({ AUTH_MODE: 'iam', ADMIN_API_KEY: '' });
    expect(await ask(origin, stripped())).toMatchObject({ status: 200, body: { caller: email } });
  });

  test('headers of the scheduler alone prove nothing', async () => {
    const origin = await serve({ AUTH_MODE: 'iam', ADMIN_API_KEY: '' });
    const headers = { 'X-CloudScheduler': 'true', 'User-Agent': 'Google-Cloud-Scheduler' };
    expect((await request(origin, { method: 'POST', headers })).status).toBe(401);
  });

  test('an admin key may come along, and must then be right', async () => {
    const origin = await serve({ AUTH_MODE: 'iam' });
    const identity = { 'X-Serverless-Authorization': `Bearer ${stripped()}` };
    expect((await ask(origin, key, identity)).status).toBe(200);
    expect((await ask(origin, 'wrong', identity)).status).toBe(401);
  });

  test('a list of callers narrows what IAM lets in', async () => {
    const origin = await serve({ AUTH_MODE: 'iam', ALLOWED_CALLERS: 'admin@x.is' });
    expect((await ask(origin, stripped())).status).toBe(403);
  });
});
