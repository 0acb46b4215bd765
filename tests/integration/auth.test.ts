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

/** All that jest can fake, but for the clock. */
const timers = [
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
async function serve(changes: Record<string, string>, more: object = {}): Promise<string> {
  functions += 1;
  const name = `guarded${functions}`;
  const environment = { NODE_ENV: 'test', ADMIN_API_KEY: key, LOG_LEVEL: 'DEBUG', ...changes };
  const definition = { name, path: `/${name}`, methods: ['POST'], needs: [] };
  http(
    name,
    endpoint(
      { ...definition, ...more, answer: async ({ caller }) => ({ body: { caller } }) },
      environment,
    ),
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

describe('behind Identity-Aware Proxy (AUTH_MODE=iap)', () => {
  const iapAudience = '/projects/123/locations/europe-west2/services/syncadmin';
  const proxy = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const [ours, next, forger] = [proxy(), proxy(), proxy()];
  let published: Record<string, typeof ours>;
  let fetches = 0;
  let keys: Server;
  let origin: string;

  beforeAll(async () => {
    keys = createServer((_request, response) => {
      fetches += 1;
      const pems = Object.entries(published).map(([kid, { publicKey }]) => [
        kid,
        publicKey.export({ type: 'spki', format: 'pem' }),
      ]);
      response.setHeader('Content-Type', 'application/json');
      response.end(JSON.stringify(Object.fromEntries(pems)));
    }).listen(0, '127.0.0.1');
    await once(keys, 'listening');
  });
  afterAll(() => {
    keys.closeAllConnections();
    keys.close();
  });
  beforeEach(async () => {
    published = { one: ours };
    fetches = 0;
    const { port } = keys.address() as AddressInfo;
    origin = await serve(
      {
        AUTH_MODE: 'iap',
        AUTH_AUDIENCE: iapAudience,
        AUTH_CERTS_URL: `http://127.0.0.1:${port}/`,
        ADMIN_API_KEY: '',
      },
      { behindProxy: true },
    );
  });

  function assertion(changes: object = {}, { signer = ours, kid = 'one', alg = 'ES256' } = {}) {
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: 'https://cloud.google.com/iap',
      aud: iapAudience,
      sub: 'accounts.google.com:1084',
      email: 'anna@x.is',
      iat: now,
      exp: now + 600,
      ...changes,
    };
    const signed = `${part({ alg, kid, typ: 'JWT' })}.${part(claims)}`;
    const signature = createSign('SHA256')
      .update(signed)
      .sign({ key: signer.privateKey, dsaEncoding: 'ieee-p1363' });
    return `${signed}.${signature.toString('base64url')}`;
  }
  const through = (token: string, headers: Record<string, string> = {}) =>
    request(origin, {
      method: 'POST',
      headers: { 'X-Goog-IAP-JWT-Assertion': token, ...headers },
    });

  test('the person whom the proxy names is the caller, and the keys are fetched once', async () => {
    for (let calls = 0; calls < 3; calls++) {
      expect(await through(assertion())).toMatchObject({
        status: 200,
        body: { caller: 'anna@x.is' },
      });
    }
    expect(fetches).toBe(1);
  });

  describe('later', () => {
    // Only the clock is made up, so that sockets and timers of the server go on.
    const pass = (seconds: number) => jest.setSystemTime(Date.now() + seconds * 1000);
    beforeEach(() => {
      jest.useFakeTimers({ now: Date.now(), doNotFake: [...timers] });
    });
    afterEach(() => {
      jest.useRealTimers();
    });

    test('a key that the proxy has rotated is fetched, once a minute however many are made up', async () => {
      expect((await through(assertion())).status).toBe(200);
      published = { one: ours, two: next };
      pass(61);
      expect((await through(assertion({}, { signer: next, kid: 'two' }))).status).toBe(200);
      expect((await through(assertion({}, { signer: forger, kid: 'three' }))).status).toBe(401);
      expect((await through(assertion({}, { signer: forger, kid: 'four' }))).status).toBe(401);
      expect(fetches).toBe(2);
    });

    test('a key that the proxy no longer publishes is good for an hour at most', async () => {
      expect((await through(assertion())).status).toBe(200);
      published = { two: next };
      pass(3500);
      expect((await through(assertion())).status).toBe(200);
      pass(101);
      expect((await through(assertion())).status).toBe(401);
      expect((await through(assertion({}, { signer: next, kid: 'two' }))).status).toBe(200);
    });
  });

  const past = Math.floor(Date.now() / 1000) - 7200;
  test.each([
    { name: 'signed by somebody else', bad: () => assertion({}, { signer: forger }) },
    { name: 'signed with an unknown key', bad: () => assertion({}, { kid: 'two' }) },
    { name: 'of a key called like a method', bad: () => assertion({}, { kid: 'constructor' }) },
    { name: 'that is expired', bad: () => assertion({ iat: past, exp: past + 600 }) },
    { name: 'that expired a moment ago', bad: () => assertion({ iat: past, exp: past + 7110 }) },
    { name: 'from the future', bad: () => assertion({ iat: past + 14_400, exp: past + 15_000 }) },
    { name: 'of another service', bad: () => assertion({ aud: `${iapAudience}2` }) },
    { name: 'of several audiences', bad: () => assertion({ aud: [iapAudience] }) },
    { name: 'of another issuer', bad: () => assertion({ iss: 'https://accounts.google.com' }) },
    { name: 'without an e-mail', bad: () => assertion({ email: undefined }) },
    { name: 'with no algorithm', bad: () => assertion({}, { alg: 'none' }) },
    { name: 'with another algorithm', bad: () => assertion({}, { alg: 'HS256' }) },
    { name: 'without its signature', bad: () => assertion().replace(/[^.]*$/, '') },
    { name: 'that is no token', bad: () => 'anna@x.is' },
  ])('a token $name is refused', async ({ bad }) => {
    const reply = await through(bad());
    expect([reply.status, reply.body]).toMatchObject([401, { error: { code: 'unauthorized' } }]);
  });

  test('the plain headers of the proxy, an identity token and the admin key prove nothing', async () => {
    const plain = {
      'X-Goog-Authenticated-User-Email': 'accounts.google.com:anna@x.is',
      'X-Goog-Authenticated-User-Id': 'accounts.google.com:1084',
    };
    expect((await request(origin, { method: 'POST', headers: plain })).status).toBe(401);
    expect((await ask(origin, token(), plain)).status).toBe(401);
    expect((await ask(origin, key, plain)).status).toBe(401);
  });
});
