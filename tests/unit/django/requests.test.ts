import { nock } from './nock.ts';
import { clientFor, collect, KEY, people } from './support.ts';

const origin = 'https://register.test';
const path = '/api/members';

beforeAll(() => nock.disableNetConnect());
afterAll(() => {
  nock.enableNetConnect();
  nock.restore();
});
afterEach(() => nock.cleanAll());

const list = () => nock(origin).get(path).query(true);
const read = (setup?: Parameters<typeof clientFor>[1]) =>
  collect(clientFor(origin, setup).client.getMembers());
const jsonHeader = { 'Content-Type': 'application/json' };

async function failure(setup?: Parameters<typeof clientFor>[1]) {
  return read(setup).then(
    () => {
      throw new Error('it did not fail');
    },
    (error) => error,
  );
}

describe('the request', () => {
  test.each([
    [undefined, `Bearer ${KEY}`],
    ['Token', `Token ${KEY}`],
  ])('carries the key by the scheme %s, and asks for JSON', async (scheme, authorization) => {
    nock(origin, {
      reqheaders: {
        authorization,
        accept: 'application/json',
        'cache-control': 'no-cache',
        'user-agent': 'membership-sync',
      },
    })
      .get(path)
      .query({ page_size: '500' })
      .reply(200, people(2));
    const pages = await read(scheme ? { env: { DJANGO_AUTH_SCHEME: scheme } } : {});
    expect(pages[0]?.rows).toBe(2);
  });

  test('goes under the path of the base URL, with the query of the members path', async () => {
    nock(origin)
      .get('/base/members/')
      .query({ status: 'current', page_size: '500' })
      .reply(200, people(1));
    const { client } = clientFor(`${origin}/base/`, {
      env: { DJANGO_MEMBERS_PATH: '/members/?status=current' },
    });
    expect(await collect(client.getMembers())).toHaveLength(1);
  });

  test('gives the clock of the register, or none', async () => {
    list().reply(200, [], { Date: 'Fri, 01 May 2026 12:00:00 GMT' });
    expect((await read())[0]?.serverDate).toEqual(new Date('2026-05-01T12:00:00Z'));
    list().reply(200, [], { Date: 'yesterday' });
    expect((await read())[0]?.serverDate).toBeUndefined();
  });
});

describe('an answer that is asked for again', () => {
  test.each([408, 429, 500, 502, 503, 504])('status %d, then a page', async (status) => {
    list().times(2).reply(status, '<h1>busy</h1>');
    list().reply(200, people(1));
    const { client, events } = clientFor(origin);
    const pages = await collect(client.getMembers());
    expect(pages[0]?.retries).toBe(2);
    expect(events).toHaveLength(2);
    expect(events[0]).toMatchObject({
      severity: 'WARNING',
      event: 'django_retry',
      path,
      status,
      attempt: 1,
      attempts: 5,
      wait_ms: expect.any(Number),
    });
    expect(JSON.stringify(events)).not.toMatch(/page_size|busy|test-key/);
  });

  test.each(['ECONNRESET', 'ECONNREFUSED', 'ENOTFOUND', 'ETIMEDOUT', 'EAI_AGAIN'])(
    'network error %s, then a page',
    async (code) => {
      list().replyWithError(Object.assign(new Error('network'), { code }));
      list().reply(200, people(1));
      expect((await read())[0]?.retries).toBe(1);
    },
  );

  test.each([
    ['JSON that is cut off', '{"results":[{"id":1'],
    ['an empty body', ''],
  ])('%s, then a page', async (_, body) => {
    list().reply(200, body, jsonHeader);
    list().reply(200, people(1));
    expect((await read())[0]?.retries).toBe(1);
  });

  test('waits as long as Retry-After says', async () => {
    list().reply(429, {}, { 'Retry-After': '1' });
    list().reply(200, people(1));
    const started = performance.now();
    await read();
    expect(performance.now() - started).toBeGreaterThanOrEqual(990);
  });

  test('reads a Retry-After date by the clock of the register', async () => {
    const headers = {
      Date: 'Fri, 01 May 2026 12:00:00 GMT',
      'Retry-After': 'Fri, 01 May 2026 12:00:02 GMT',
    };
    list().reply(503, {}, headers);
    expect(await failure({ env: { DJANGO_MAX_RETRIES: '0' } })).toMatchObject({
      retryAfterMs: 2000,
    });
  });

  test('is given up after DJANGO_MAX_RETRIES', async () => {
    const scope = list().times(3).reply(500);
    const { client, events } = clientFor(origin, { env: { DJANGO_MAX_RETRIES: '2' } });
    await expect(collect(client.getMembers())).rejects.toMatchObject({ code: 'django_error' });
    expect(events).toHaveLength(2);
    expect(scope.isDone()).toBe(true);
  });
});

describe('every failure has its class, its code and a message that says what to do:', () => {
  const cases: [string, () => unknown, string, string, RegExp][] = [
    [
      '400',
      () => list().reply(400),
      'DjangoHttpError',
      'django_error',
      /answered 400.*DJANGO_MEMBERS_PATH/,
    ],
    [
      '401',
      () => list().reply(401),
      'DjangoHttpError',
      'django_unauthorized',
      /answered 401.*DJANGO_API_KEY.*DJANGO_AUTH_SCHEME/,
    ],
    [
      '403',
      () => list().reply(403),
      'DjangoHttpError',
      'django_unauthorized',
      /answered 403.*accepted.*DJANGO_AUTH_SCHEME/,
    ],
    [
      '404',
      () => list().reply(404),
      'DjangoHttpError',
      'django_error',
      /answered 404.*DJANGO_MEMBERS_PATH/,
    ],
    ['406', () => list().reply(406), 'DjangoHttpError', 'django_error', /answered 406/],
    ['204', () => list().reply(204), 'DjangoHttpError', 'django_error', /answered 204/],
    ['304', () => list().reply(304), 'DjangoHttpError', 'django_error', /answered 304/],
    [
      '302 without a Location',
      () => list().reply(302),
      'DjangoHttpError',
      'django_error',
      /answered 302.*no address/,
    ],
    [
      '429',
      () => list().times(2).reply(429),
      'DjangoHttpError',
      'django_rate_limited',
      /answered 429\. /,
    ],
    [
      '500',
      () => list().times(2).reply(500),
      'DjangoHttpError',
      'django_error',
      /answered 500.*log/,
    ],
    [
      'no network',
      () =>
        list()
          .times(2)
          .replyWithError(Object.assign(new Error('x'), { code: 'ENOTFOUND' })),
      'DjangoNetworkError',
      'django_unreachable',
      /ENOTFOUND.*DJANGO_BASE_URL/,
    ],
    [
      'a page of HTML',
      () => list().reply(200, '<html>', { 'Content-Type': 'text/html; charset=utf-8' }),
      'DjangoShapeError',
      'django_invalid_response',
      /HTML page.*DJANGO_BASE_URL/,
    ],
    [
      'no content type',
      () => list().reply(200, '[]'),
      'DjangoShapeError',
      'django_invalid_response',
      /not declared as JSON/,
    ],
    [
      'JSON that stays cut off',
      () => list().times(2).reply(200, '[{', jsonHeader),
      'DjangoShapeError',
      'django_invalid_response',
      /cut off or malformed/,
    ],
    [
      'JSON of another shape',
      () => list().reply(200, { detail: 'x' }),
      'DjangoShapeError',
      'django_invalid_response',
      /no list of members/,
    ],
  ];
  test.each(cases)('%s', async (_, answer, name, code, message) => {
    answer();
    const error = await failure({ env: { DJANGO_MAX_RETRIES: '1' } });
    expect(error).toMatchObject({ name, code, message: expect.stringMatching(message), path });
    expect(error.message).toMatch(/^GET \/api\/members /);
    expect(nock.isDone()).toBe(true);
  });

  test.each([400, 401, 403, 404])('%d is asked for once only', async (status) => {
    let requests = 0;
    list()
      .times(9)
      .reply(() => {
        requests += 1;
        return [status, '{}', jsonHeader];
      });
    await failure();
    expect(requests).toBe(1);
  });

  test.each([
    [429, 'django_rate_limited'],
    [503, 'django_error'],
  ])('%d that asks for more than a minute fails at once, saying how long', async (status, code) => {
    list().reply(status, {}, { 'Retry-After': '3600' });
    const error = await failure();
    expect(error).toMatchObject({ code, message: expect.stringMatching(/wait 3600 seconds/) });
  });

  test.each(['application/json; charset=utf-8', 'application/vnd.api+json', 'Application/JSON'])(
    'but %s is JSON',
    async (type) => {
      list().reply(200, '[]', { 'Content-Type': type });
      expect(await read()).toHaveLength(1);
    },
  );
});

test('a byte order mark before the JSON is no part of it', async () => {
  list().reply(200, `\ufeff${JSON.stringify(people(1))}`, jsonHeader);
  expect((await read())[0]?.members).toHaveLength(1);
});

test('bytes that are no UTF-8 set their record aside, and the others go on', async () => {
  const body = Buffer.from(JSON.stringify(people(3)));
  body[body.indexOf('fa 2')] = 0xe6;
  list().reply(200, body, jsonHeader);
  expect(await read()).toMatchObject([
    {
      rows: 3,
      retries: 0,
      members: [{ externalId: '1' }, { externalId: '3' }],
      rejections: [{ code: 'invalid_encoding', externalId: '2', kennitala: '0000000002' }],
    },
  ]);
});

test.each([
  ['60', false],
  ['61', true],
  ['86400', true],
  ['-1', false],
  ['soon', false],
  ['61.5', true],
  ['3600, 10', true],
  ['10, soon, 3600', true],
])('a page that a cache had for %s seconds is stale: %s', async (age, stale) => {
  list().reply(200, people(1), { Age: age });
  expect(await read()).toMatchObject([{ stale }]);
});

test.each([
  ['half a minute', 3570, 3600, {}, false],
  ['50 minutes', 600, 3600, {}, true],
  ['nobody knows how long, with an expiry long ago', -9e8, 0, {}, false],
  ['no time, and may keep for five minutes what expires at once', 0, 300, {}, false],
  ['no time, by clocks that are two minutes apart', 3480, 3600, {}, false],
  ['longer than it may', 3600, 3600, { Warning: '110 - "Response is Stale"' }, true],
])('a page that Django’s own cache had for %s', async (_, left, lifetime, more, stale) => {
  const now = Date.now();
  list().reply(200, people(1), {
    Date: new Date(now).toUTCString(),
    Expires: new Date(now + left * 1000).toUTCString(),
    'Cache-Control': `private, max-age=${lifetime}`,
    ...more,
  });
  expect(await read()).toMatchObject([{ stale }]);
});

test('no error and no log line holds the key, the query, a header or the body', async () => {
  const { inspect } = await import('node:util');
  const secret = Object.assign(new Error('failed'), { code: 'ECONNRESET' });
  for (const answer of [
    () => list().times(2).replyWithError(secret),
    () => list().reply(401, { detail: 'body-text' }, { 'X-Header': 'header-text' }),
    () => list().times(2).reply(500, 'body-text', { 'X-Header': 'header-text' }),
    () =>
      list()
        .times(2)
        .reply(200, '["body-text"', { ...jsonHeader, 'X-Header': 'header-text' }),
    () => list().reply(200, 'body-text', { 'Content-Type': 'header-text' }),
  ]) {
    answer();
    const { client, events } = clientFor(origin, { env: { DJANGO_MAX_RETRIES: '1' } });
    const error = await collect(client.getMembers()).catch((thrown: Error) => thrown);
    const shown = inspect(error, { depth: 9, showHidden: true }) + JSON.stringify(events);
    expect(shown).not.toMatch(/test-key|page_size|header-text|body-text/);
  }
});

test('the cause of a network error is its code and message only', async () => {
  list().replyWithError(Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' }));
  const error = await failure({ env: { DJANGO_MAX_RETRIES: '0' } });
  expect(Object.keys(error.cause)).toEqual(['code']);
  expect(error.cause).toMatchObject({ code: 'ECONNRESET', message: 'socket hang up' });
});
