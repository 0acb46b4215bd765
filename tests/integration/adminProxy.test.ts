import { createSign, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describeInBrowser, openPage } from '../support/browser.ts';
import { afterTests } from '../support/cleanUp.ts';
import { type Reply, request } from '../support/http.ts';
import { until } from '../support/until.ts';
import { createWorld, type World } from '../support/world.ts';

// The built page behind Identity-Aware Proxy, whose signature is made here, and functions that know its account.
// Every way to forge a token, and the rotation of its keys by the clock, are in auth.test.ts.
const ours = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const forger = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const audience = '/projects/12/locations/europe-west2/services/syncadmin';
const pageAccount = 'page@p.iam.gserviceaccount.com';
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

function assertion(claims: object = {}, signer = ours.privateKey): string {
  const now = Math.floor(Date.now() / 1000);
  const payload = {
    iss: 'https://cloud.google.com/iap',
    aud: audience,
    sub: 'accounts.google.com:1',
    email: 'anna@felag.example',
    iat: now,
    exp: now + 600,
    ...claims,
  };
  const signed = `${part({ alg: 'ES256', kid: 'one', typ: 'JWT' })}.${part(payload)}`;
  const key = { key: signer, dsaEncoding: 'ieee-p1363' as const };
  return `${signed}.${createSign('SHA256').update(signed).sign(key).toString('base64url')}`;
}

let world: World;
let url: string;
beforeAll(async () => {
  const google = createServer(({ url: path = '' }, response) => {
    response.setHeader('Metadata-Flavor', 'Google');
    // The metadata server gives our account's identity; the functions' platform has verified it before them.
    const identity = `${part({ alg: 'RS256' })}.${part({ email: pageAccount, email_verified: true, exp: 4_000_000_000 })}.x`;
    if (path.includes('/identity')) return response.end(identity);
    const pem = ours.publicKey.export({ type: 'spki', format: 'pem' });
    return response.setHeader('Content-Type', 'application/json').end(JSON.stringify({ one: pem }));
  }).listen(0, '127.0.0.1');
  afterTests(() => google.close());
  await once(google, 'listening');
  const host = `127.0.0.1:${(google.address() as AddressInfo).port}`;
  world = await createWorld({ members: 20 });
  const functions = { AUTH_MODE: 'iam', ADMIN_PAGE_CALLER: pageAccount };
  const [sync, dryRun] = await Promise.all([
    world.bundle('syncScheduled', functions),
    world.bundle('syncDryRun', functions),
  ]);
  const page = await world.bundle('syncAdmin', {
    AUTH_MODE: 'iap',
    AUTH_AUDIENCE: audience,
    AUTH_CERTS_URL: `http://${host}/keys`,
    ADMIN_APPROVERS: 'anna@felag.example',
    ADMIN_VIEWERS: 'vidar@felag.example',
    SYNC_URL: sync.url,
    SYNC_DRY_RUN_URL: dryRun.url,
    GCE_METADATA_HOST: host,
    METADATA_SERVER_DETECTION: 'assume-present',
  });
  url = page.url;
}, 60_000);
beforeEach(() => world.reset(20));

interface Sent {
  form?: string;
  headers?: Record<string, string>;
}
const as = (token: string, query = '', { form, headers = {} }: Sent = {}): Promise<Reply> =>
  request(`${url}/${query}`, {
    ...(form === undefined ? {} : { method: 'POST', body: form }),
    headers: {
      ...(token === '' ? {} : { 'x-goog-iap-jwt-assertion': token }),
      'sec-fetch-site': 'same-origin',
      'content-type': 'application/x-www-form-urlencoded',
      ...headers,
    },
  });
const act = (token: string, name: string, form = '') => as(token, `?do=${name}`, { form });
const viewer = () => assertion({ email: 'vidar@felag.example' });
const runs = async () => (await world.database.query('select id from public.sync_log')).length;
const voters = async () => (await world.active()).length;

/** The plan of what is held now, as somebody who looks at it gets it. */
async function lookAs(token: string): Promise<string> {
  const reply = await act(token, 'look');
  return new URLSearchParams(String(reply.headers.get('location')).slice(1)).get('plan') ?? '';
}

test('an approver decides, and sync_log names the person', async () => {
  expect((await act(assertion(), 'full')).status).toBe(303);
  // The page does not wait for a run that takes its time.
  const run = await until(async () => {
    const last = await world.lastRun();
    return last?.['status'] !== 'pending' && last;
  });
  expect(run).toMatchObject({
    status: 'success',
    details: { caller: 'anna@felag.example via page' },
  });
});

test('a viewer sees what waits and may not approve it, an approver may', async () => {
  await world.run();
  for (let id = 1; id <= 12; id++) world.django.members.remove(id);
  expect(await world.run()).toMatchObject({ status: 'held' });

  const plan = await lookAs(viewer());
  const seen = await as(viewer(), `?view=look&plan=${plan}`);
  expect([seen.status, seen.text.match(/<td data-label="Kennitala"/g)?.length]).toEqual([200, 12]);
  expect(seen.text).toContain('aðeins fyrir þá sem mega samþykkja');
  expect(seen.text).not.toContain('name="typed"');
  const form = `plan=${plan}&class=removals&typed=12`;
  const before = await runs();
  expect((await act(viewer(), 'approve', form)).status).toBe(403);
  expect([await runs(), await voters()]).toEqual([before, 20]);

  expect((await act(assertion(), 'approve', form)).status).toBe(303);
  expect(await voters()).toBe(8);
  expect((await world.lastRun()).details['approved_by']).toBe('anna@felag.example via page');
});

test.each(['run', 'full', 'approve', 'undo', 'apply', 'release'])(
  'a viewer who tries to %s is refused, and nothing runs',
  async (name) => {
    expect((await act(viewer(), name, 'id=1&typed=1')).status).toBe(403);
    expect(await runs()).toBe(0);
  },
);

test('a viewer sees everything, and no button of a decision', async () => {
  const { run_id } = await world.run();
  const { text } = await as(viewer());
  expect(text).toContain('vidar@felag.example');
  expect(text).not.toContain('Skrá út');
  world.django.members.update(4, { name: 'Annað Nafn' });
  const asked = await act(viewer(), 'ask', 'id=4');
  expect(asked.text).toContain('Annað Nafn');
  const pages = [text, asked.text];
  for (const view of ['member&id=4', `run&id=${run_id}`, 'waiting', 'history']) {
    const reply = await as(viewer(), `?view=${view}`);
    expect(reply.status).toBe(200);
    pages.push(reply.text);
  }
  const acts = new Set(pages.join().match(/(?<=\?do=)\w+/g));
  expect([...acts].sort()).toEqual(['ask', 'find', 'look']);
});

test('somebody in neither list is known, and let in nowhere', async () => {
  const stranger = assertion({ email: 'x@felag.example' });
  const replies = [await as(stranger), await act(stranger, 'run'), await act(stranger, 'find')];
  expect(replies.map(({ status }) => status)).toEqual([403, 403, 403]);
  expect(replies[0]?.text).toContain('Þú hefur ekki aðgang að þessari síðu');
});

const plain = {
  'x-goog-authenticated-user-email': 'accounts.google.com:anna@felag.example',
  'x-goog-authenticated-user-id': 'accounts.google.com:1',
};
const minutes = (count: number) => Math.floor(Date.now() / 1000) + count * 60;
test.each([
  { name: 'forged', token: () => assertion({}, forger.privateKey) },
  { name: 'expired', token: () => assertion({ iat: minutes(-30), exp: minutes(-20) }) },
  { name: 'of another service', token: () => assertion({ aud: '/projects/13/x' }) },
  { name: 'of another issuer', token: () => assertion({ iss: 'https://evil.example' }) },
  { name: 'without an e-mail', token: () => assertion({ email: undefined }) },
  { name: 'bent', token: () => assertion().replace(/.{9}$/, 'AAAAAAAAA') },
  { name: 'no token', token: () => 'anna@felag.example' },
  { name: 'missing, with the plain e-mail headers', token: () => '' },
])('a token that is $name opens nothing', async ({ token }) => {
  const looked = await as(token(), '', { headers: plain });
  const ran = await as(token(), '?do=run', { form: '', headers: plain });
  expect([looked.status, ran.status, await runs()]).toEqual([401, 401, 0]);
  expect(looked.text).toContain('Síðan veit ekki hver þú ert.');
  expect(looked.text).not.toContain('anna@felag.example');
});

test.each([
  { name: 'another site', headers: { 'sec-fetch-site': 'cross-site' } },
  { name: 'a neighbour', headers: { 'sec-fetch-site': 'same-site' } },
  { name: 'a foreign origin', headers: { origin: 'https://evil.example' } },
])('the session of the proxy does not help $name', async ({ headers }) => {
  const reply = await as(assertion(), '?do=run', { form: '', headers });
  expect([reply.status, await runs()]).toEqual([403, 0]);
});

describeInBrowser()('in a real browser', () => {
  test('a form of another site does nothing, and the page itself starts a run', async () => {
    // `localhost` is another site than 127.0.0.1, where the page is.
    const evil = createServer((_request, response) => {
      response.setHeader('Content-Type', 'text/html');
      response.end(`<form method="post" action="${url}/?do=full"><button>x</button></form>`);
    }).listen(0, 'localhost');
    afterTests(() => evil.close());
    await once(evil, 'listening');
    const { page, misconduct } = await openPage(url);
    // As the proxy does it, whoever made the browser ask.
    await page.context().setExtraHTTPHeaders({ 'x-goog-iap-jwt-assertion': assertion() });
    await page.goto(`http://localhost:${(evil.address() as AddressInfo).port}/`);
    await page.click('button');
    await page.waitForSelector('text=Beiðnin kom ekki af þessari síðu.');
    expect(await runs()).toBe(0);

    await page.goto(url);
    expect(await page.textContent('header')).toContain('anna@felag.example');
    misconduct.foreign.length = 0;
    await page.click('text=Full samstilling núna');
    await until(async () => (await world.lastRun())?.['status'] === 'success');
    expect(misconduct.foreign).toEqual([]);
  });
});

test('not even an approver acts in the name of another', async () => {
  const headers = { 'x-sync-on-behalf-of': 'bjarni@felag.example' };
  expect((await as(assertion(), '?do=run', { form: '', headers })).status).toBe(403);
  expect(await runs()).toBe(0);
});
