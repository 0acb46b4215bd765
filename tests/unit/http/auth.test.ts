import type { SyncError } from '../../../lib/errors.ts';
import { authenticate, authorize, schedulerHints } from '../../../lib/http/auth.ts';
import { type AuthPolicy, createKeyCheck, isSameKey } from '../../../lib/http/authPolicy.ts';
import { type Claims, decodeAudience } from '../../../lib/http/idToken.ts';
import { fixedCredential } from '../../../lib/secrets.ts';

const key = 'the-admin-key-of-this-deployment';
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const jwt = (claims: object, signature = 'c2lnbmF0dXJl') =>
  `${part({ alg: 'RS256', typ: 'JWT' })}.${part(claims)}.${signature}`;

const scheduler = { email: 'sched@p.iam.gserviceaccount.com', email_verified: true, sub: '1' };
const stripped = jwt(scheduler, 'SIGNATURE_REMOVED_BY_GOOGLE');
const verified: Claims = { email: scheduler.email, emailVerified: true };

type Changes = Partial<AuthPolicy & AuthPolicy['lists']>;

function policy({
  allowed = [],
  reporters = [],
  starters = [],
  page = [],
  ...rest
}: Changes = {}): AuthPolicy {
  const webhookKey = 'the-webhook-key-of-this-deployment';
  return {
    mode: 'key',
    lists: { allowed, reporters, starters, page },
    keyOf: async (candidate) => {
      if (isSameKey(candidate, webhookKey)) return 'webhook-key';
      return isSameKey(candidate, key) ? 'admin-key' : undefined;
    },
    verifyIdToken: async () => undefined,
    verifyAssertion: async () => undefined,
    ...rest,
  };
}

/** The caller's name, or the code of the refusal. */
async function outcome(headers: Record<string, string | string[]>, changes?: Changes) {
  const distinct = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, [value].flat()]),
  );
  const rules = policy(changes);
  try {
    const caller = await authenticate(distinct, rules);
    authorize(caller, rules);
    return caller.name;
  } catch (error) {
    return (error as SyncError).code;
  }
}

describe('a key is the same only when all of it is', () => {
  test.each([
    { candidate: key, same: true },
    { candidate: `${key}x`, same: false },
    { candidate: key.slice(0, -1), same: false },
    { candidate: '', same: false },
    { candidate: key.toUpperCase(), same: false },
  ])('$candidate', ({ candidate, same }) => {
    expect(isSameKey(candidate, key)).toBe(same);
  });

  test('and nothing is the same as no key', () => {
    expect(isSameKey('', '')).toBe(false);
  });
});

describe('AUTH_MODE=key', () => {
  const accepting = {
    verifyIdToken: async () => verified,
    allowed: ['Sched@p.iam.gserviceaccount.com'],
  };

  test.each([
    { name: 'the key', headers: { authorization: `Bearer ${key}` }, expected: 'admin-key' },
    {
      name: 'the key, bearer',
      headers: { authorization: `bearer   ${key} ` },
      expected: 'admin-key',
    },
    { name: 'nothing', headers: {}, expected: 'unauthorized' },
    { name: 'another key', headers: { authorization: 'Bearer other' }, expected: 'unauthorized' },
    { name: 'an empty key', headers: { authorization: 'Bearer ' }, expected: 'unauthorized' },
    { name: 'the bare key', headers: { authorization: key }, expected: 'unauthorized' },
    {
      name: 'another scheme',
      headers: { authorization: `Token ${key}` },
      expected: 'unauthorized',
    },
    {
      name: 'the header twice',
      headers: { authorization: [`Bearer ${key}`, `Bearer ${key}`] },
      expected: 'unauthorized',
    },
    {
      name: 'two keys in one header',
      headers: { authorization: `Bearer ${key}, Bearer x` },
      expected: 'unauthorized',
    },
    {
      name: 'the key in the header of the platform',
      headers: { 'x-serverless-authorization': `Bearer ${key}` },
      expected: 'unauthorized',
    },
    {
      name: "the scheduler's headers alone",
      headers: { 'x-cloudscheduler': 'true', 'user-agent': 'Google-Cloud-Scheduler' },
      expected: 'unauthorized',
    },
    {
      name: 'a token that cannot be verified',
      headers: { authorization: `Bearer ${jwt(scheduler)}` },
      expected: 'unauthorized',
    },
  ])('$name: $expected', async ({ headers, expected }) => {
    expect(await outcome(headers)).toBe(expected);
  });

  test('a verified token of an allowed caller is accepted', async () => {
    const headers = { authorization: `Bearer ${jwt(scheduler)}` };
    expect(await outcome(headers, accepting)).toBe(scheduler.email);
  });

  test('a verified token of another caller is forbidden', async () => {
    const headers = { authorization: `Bearer ${jwt(scheduler)}` };
    expect(await outcome(headers, { ...accepting, allowed: ['a@b.c'] })).toBe('forbidden');
  });

  test('a verified token is of no use without a list of callers', async () => {
    const headers = { authorization: `Bearer ${jwt(scheduler)}` };
    expect(await outcome(headers, { ...accepting, allowed: [] })).toBe('forbidden');
  });

  test.each([
    { name: 'no e-mail', claims: { emailVerified: true } },
    { name: 'an e-mail that is not verified', claims: { ...verified, emailVerified: false } },
    { name: 'an e-mail of which nothing is said', claims: { email: scheduler.email } },
  ])('a verified token with $name is not enough', async ({ claims }) => {
    const headers = { authorization: `Bearer ${jwt(scheduler)}` };
    const changes = { ...accepting, verifyIdToken: async () => claims };
    expect(await outcome(headers, changes)).toBe('unauthorized');
  });

  test('a token without its signature is never even looked at', async () => {
    const verifyIdToken = jest.fn(async () => verified);
    const headers = { authorization: `Bearer ${stripped}` };
    expect(await outcome(headers, { ...accepting, verifyIdToken })).toBe('unauthorized');
    expect(verifyIdToken).not.toHaveBeenCalled();
  });
});

describe('AUTH_MODE=iam', () => {
  const bearer = (token: string) => `Bearer ${token}`;

  test.each([
    {
      name: 'the identity in Authorization',
      headers: { authorization: bearer(stripped) },
      expected: scheduler.email,
    },
    {
      name: 'the identity with its signature still there',
      headers: { authorization: bearer(jwt(scheduler)) },
      expected: scheduler.email,
    },
    {
      name: 'an identity without an e-mail',
      headers: { authorization: bearer(jwt({ sub: '1084' })) },
      expected: '1084',
    },
    {
      name: 'the identity in X-Serverless-Authorization',
      headers: { 'x-serverless-authorization': bearer(stripped) },
      expected: scheduler.email,
    },
    {
      name: 'the verified one of two identities',
      headers: {
        'x-serverless-authorization': bearer(stripped),
        authorization: bearer(jwt({ email: 'forged@b.c' })),
      },
      expected: scheduler.email,
    },
    {
      name: 'an identity and the admin key',
      headers: { 'x-serverless-authorization': bearer(stripped), authorization: bearer(key) },
      expected: scheduler.email,
    },
    {
      name: 'an identity and a wrong key',
      headers: { 'x-serverless-authorization': bearer(stripped), authorization: bearer('wrong') },
      expected: 'unauthorized',
    },
    {
      name: 'the admin key alone',
      headers: { authorization: bearer(key) },
      expected: 'unauthorized',
    },
    { name: 'nothing', headers: {}, expected: 'unauthorized' },
    {
      name: 'a token without claims',
      headers: { authorization: 'Bearer eyJh.bm9uc2Vuc2U.x' },
      expected: 'unauthorized',
    },
    {
      name: 'claims that are no object',
      headers: { authorization: `Bearer eyJh.${part('text')}.x` },
      expected: 'unauthorized',
    },
    {
      name: 'claims of wrong types',
      headers: { authorization: bearer(jwt({ email: 1, sub: null, email_verified: 'yes' })) },
      expected: 'unauthorized',
    },
    {
      name: 'an e-mail that is not verified',
      headers: { authorization: bearer(jwt({ ...scheduler, email_verified: false })) },
      expected: 'unauthorized',
    },
    {
      name: 'two identities in one header',
      headers: { 'x-serverless-authorization': `${bearer(stripped)}, ${bearer(stripped)}` },
      expected: 'unauthorized',
    },
    {
      name: 'the identity header twice',
      headers: { authorization: [bearer(stripped), bearer(jwt({ email: 'forged@b.c' }))] },
      expected: 'unauthorized',
    },
  ])('$name: $expected', async ({ headers, expected }) => {
    expect(await outcome(headers, { mode: 'iam' })).toBe(expected);
  });

  test.each([
    {
      name: 'a listed caller',
      allowed: [scheduler.email.toUpperCase()],
      expected: scheduler.email,
    },
    { name: 'a caller that is not listed', allowed: ['a@b.c'], expected: 'forbidden' },
  ])('$name: $expected', async ({ allowed, expected }) => {
    const headers = { authorization: bearer(stripped) };
    expect(await outcome(headers, { mode: 'iam', allowed })).toBe(expected);
  });

  test('the admin key does not let in a caller that is not listed', async () => {
    const headers = { 'x-serverless-authorization': bearer(stripped), authorization: bearer(key) };
    expect(await outcome(headers, { mode: 'iam', allowed: ['a@b.c'] })).toBe('forbidden');
  });
});

describe('AUTH_MODE=iap', () => {
  const assertion = jwt({ email: 'admin@x.is', sub: 'accounts.google.com:1' });
  const iap = {
    mode: 'iap' as const,
    verifyAssertion: async (token: string) =>
      token === assertion ? { email: 'admin@x.is', subject: '1' } : undefined,
  };

  test.each([
    {
      name: 'the assertion of the proxy',
      headers: { 'x-goog-iap-jwt-assertion': assertion },
      expected: 'admin@x.is',
    },
    {
      name: 'another assertion',
      headers: { 'x-goog-iap-jwt-assertion': jwt({ email: 'admin@x.is' }) },
      expected: 'unauthorized',
    },
    {
      name: 'the assertion twice',
      headers: { 'x-goog-iap-jwt-assertion': [assertion, assertion] },
      expected: 'unauthorized',
    },
    {
      name: 'the e-mail headers alone',
      headers: {
        'x-goog-authenticated-user-email': 'accounts.google.com:admin@x.is',
        'x-goog-authenticated-user-id': 'accounts.google.com:1',
      },
      expected: 'unauthorized',
    },
    {
      name: 'an identity token',
      headers: {
        authorization: `Bearer ${stripped}`,
        'x-serverless-authorization': `Bearer ${stripped}`,
      },
      expected: 'unauthorized',
    },
    {
      name: 'the admin key',
      headers: { authorization: `Bearer ${key}` },
      expected: 'unauthorized',
    },
  ])('$name: $expected', async ({ headers, expected }) => {
    expect(await outcome(headers as Record<string, string>, iap)).toBe(expected);
  });
});

describe('X-Sync-On-Behalf-Of', () => {
  const page = 'page@p.iam.gserviceaccount.com';
  const of = (person: string | string[], email = page) => ({
    authorization: `Bearer ${jwt({ email, sub: '7' }, 'SIGNATURE_REMOVED_BY_GOOGLE')}`,
    'x-sync-on-behalf-of': person,
  });
  const behind = (changes: Changes = {}): Changes => ({ mode: 'iam', page: [page], ...changes });

  test.each([
    {
      name: 'of the page names the person',
      headers: of('anna@x.is'),
      expected: 'anna@x.is via page',
    },
    {
      name: 'of the page in capitals',
      headers: of('anna@x.is', page.toUpperCase()),
      expected: 'anna@x.is via page',
    },
    { name: 'of another account', headers: of('anna@x.is', 'other@x.is'), expected: 'forbidden' },
    {
      name: 'with the admin key alone',
      headers: { ...of('anna@x.is'), authorization: `Bearer ${key}` },
      expected: 'unauthorized',
    },
    { name: 'twice', headers: of(['anna@x.is', 'jon@x.is']), expected: 'invalid_request' },
    { name: 'empty', headers: of(''), expected: 'invalid_request' },
    { name: 'that is no e-mail', headers: of('anna'), expected: 'invalid_request' },
    { name: 'of two', headers: of('anna@x.is, jon@x.is'), expected: 'invalid_request' },
    {
      name: 'with a line of log in it',
      headers: of('a@x.is via page"}'),
      expected: 'invalid_request',
    },
    { name: 'in another script', headers: of('аnna@x.is'), expected: 'invalid_request' },
  ])('$name: $expected', async ({ headers, expected }) => {
    expect(await outcome(headers, behind())).toBe(expected);
  });

  test('of somebody who may not decide is forbidden', async () => {
    const lists = behind({ reporters: ['Hook@x.is'] });
    expect(await outcome(of('hOOK@x.is'), lists)).toBe('forbidden');
  });

  test('is forbidden where there is no page', async () => {
    expect(await outcome(of('anna@x.is'), { mode: 'iam' })).toBe('forbidden');
    const byKey = { ...of('anna@x.is'), authorization: `Bearer ${key}` };
    expect(await outcome(byKey)).toBe('forbidden');
  });
});

test('no refusal repeats the credential', async () => {
  const headers = { authorization: ['Bearer hunter2'] };
  await expect(authenticate(headers, policy())).rejects.toMatchObject({
    message: expect.not.stringContaining('hunter2'),
  });
});

test('the audience of a token is read without trusting it', () => {
  expect(decodeAudience(jwt({ aud: 'https://f.example' }))).toBe('https://f.example');
  expect(decodeAudience(jwt({ aud: ['a'] }))).toBeUndefined();
  expect(decodeAudience('nonsense')).toBeUndefined();
});

describe('a rotated admin key', () => {
  const rotating = (renew: () => Promise<string | undefined>) => ({
    get: async () => 'old',
    renew: jest.fn(renew),
  });
  const check = (admin: ReturnType<typeof rotating>, now?: () => number) =>
    createKeyCheck({ 'admin-key': admin, 'webhook-key': fixedCredential('webhook') }, now);

  test('is found when it is used first', async () => {
    const credential = rotating(async () => 'new');
    await expect(check(credential)('new')).resolves.toBe('admin-key');
  });

  test('is not looked for as long as the old one is used', async () => {
    const credential = rotating(async () => 'new');
    await expect(check(credential)('old')).resolves.toBe('admin-key');
    await expect(check(credential)('webhook')).resolves.toBe('webhook-key');
    expect(credential.renew).not.toHaveBeenCalled();
  });

  test('is looked for once a minute, however many wrong keys come', async () => {
    const credential = rotating(async () => undefined);
    let now = 0;
    const keyOf = check(credential, () => now);
    for (const time of [0, 1, 59_999, 60_000, 60_001]) {
      now = time;
      await expect(keyOf('wrong')).resolves.toBeUndefined();
    }
    expect(credential.renew).toHaveBeenCalledTimes(2);
  });
});

test("the scheduler's headers are hints, taken only in their usual form", () => {
  const hints = {
    'x-cloudscheduler': 'true',
    'x-cloudscheduler-jobname': 'sync-hourly',
    'x-cloudscheduler-scheduletime': '2026-11-22T14:00:00Z',
  };
  expect(schedulerHints(hints)).toEqual({
    scheduler_job: 'sync-hourly',
    schedule_time: '2026-11-22T14:00:00Z',
  });
  expect(schedulerHints({ ...hints, 'x-cloudscheduler-jobname': 'a "b" c' })).toEqual({
    schedule_time: '2026-11-22T14:00:00Z',
  });
  expect(schedulerHints({ 'x-cloudscheduler': 'true' })).toEqual({});
  expect(schedulerHints({ 'x-cloudscheduler-jobname': 'sync-hourly' })).toEqual({});
});
