import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { SyncError, statusOf } from '../../../lib/errors.ts';
import { errorBody, isGcloud } from '../../../lib/http/answer.ts';
import { readParameters } from '../../../lib/http/parameters.ts';
import { checkRequest, routes } from '../../../lib/http/request.ts';

const schema = z.strictObject({
  limit: z._default(z.int().check(z.minimum(1), z.maximum(200)), 20),
  share: z.optional(z.number()),
  mode: z.optional(z.enum(['full', 'incremental'])),
  verbose: z.optional(z.boolean()),
  before: z.optional(z.nullable(z.iso.datetime())),
  note: z.optional(z.string().check(z.minLength(2), z.maxLength(5))),
  ids: z.optional(z.array(z.number()).check(z.maxLength(1))),
  even: z.optional(z.number().check(z.refine((value) => value % 2 === 0, 'must be even'))),
  step: z.optional(z.number().check(z.multipleOf(5))),
});

interface Given {
  query?: Record<string, unknown>;
  /** An object is sent as JSON. */
  body?: unknown;
  type?: string;
  pubsub?: boolean;
}

function bytesOf(body: unknown): Buffer {
  if (Buffer.isBuffer(body)) return body;
  return Buffer.from(typeof body === 'string' ? body : (JSON.stringify(body) ?? ''));
}

const readBy = (by: z.ZodMiniType, { query = {}, body, type, pubsub = false }: Given) =>
  readParameters(
    {
      query: query as Record<string, string>,
      body: bytesOf(body),
      headers: type === undefined ? {} : { 'content-type': type },
    },
    by,
    { pubsub },
  );
const read = (given: Given) => readBy(schema, given);

const form = 'application/x-www-form-urlencoded';
const base64 = (text: string) => Buffer.from(text).toString('base64');
const push = (data?: unknown) => ({
  message: { data, messageId: '1', attributes: {} },
  subscription: 'projects/p/subscriptions/s',
});

describe('parameters are understood:', () => {
  const cases: (Given & { name: string; expected: object })[] = [
    { name: 'no body at all', expected: { limit: 20 } },
    { name: 'an empty object', body: {}, expected: { limit: 20 } },
    { name: 'JSON', body: { limit: 5, verbose: true }, expected: { limit: 5, verbose: true } },
    {
      name: 'null where the schema allows it',
      body: { before: null },
      expected: { limit: 20, before: null },
    },
    {
      name: 'numbers and booleans of a query',
      query: { limit: '5', verbose: 'false', share: '-2.5', note: '12' },
      expected: { limit: 5, verbose: false, share: -2.5, note: '12' },
    },
    {
      name: 'some in the query and some in the body',
      query: { limit: '5' },
      body: { mode: 'full' },
      expected: { limit: 5, mode: 'full' },
    },
    {
      name: 'JSON as octet-stream',
      body: Buffer.from('{"limit":5}'),
      type: 'application/octet-stream',
      expected: { limit: 5 },
    },
    { name: 'JSON as text', body: '{"limit":5}', type: 'text/plain', expected: { limit: 5 } },
    {
      name: 'JSON with a byte order mark',
      body: Buffer.from('\ufeff{"limit":5}'),
      expected: { limit: 5 },
    },
    { name: 'an empty buffer', body: Buffer.from(' \n'), expected: { limit: 20 } },
    {
      name: 'a form',
      body: 'limit=5&verbose=true',
      type: form,
      expected: { limit: 5, verbose: true },
    },
    {
      name: 'JSON that curl -d calls a form',
      body: '{"limit":5}',
      type: `${form}; charset=utf-8`,
      expected: { limit: 5 },
    },
    { name: 'an empty form', type: form, expected: { limit: 20 } },
    {
      name: 'a Pub/Sub push',
      pubsub: true,
      body: push(base64('{"mode":"full"}')),
      expected: { limit: 20, mode: 'full' },
    },
    { name: 'a Pub/Sub push without data', pubsub: true, body: push(), expected: { limit: 20 } },
    { name: 'a Pub/Sub push of nothing', pubsub: true, body: push(''), expected: { limit: 20 } },
  ];
  test.each(cases)('$name', ({ expected, ...given }) => {
    expect(read(given)).toEqual(expected);
  });
});

describe('parameters are refused:', () => {
  const cases: (Given & { name: string; message: string })[] = [
    {
      name: 'a string for a number',
      body: { limit: '5' },
      message: 'limit: Invalid input: expected number, received string.',
    },
    {
      name: 'a word for a boolean',
      query: { verbose: 'yes' },
      message: 'verbose: Invalid input: expected boolean, received string.',
    },
    {
      name: 'a word for a number',
      query: { limit: 'ten' },
      message: 'limit: Invalid input: expected number, received string.',
    },
    {
      name: 'nothing for a number',
      query: { limit: '' },
      message: 'limit: Invalid input: expected number, received string.',
    },
    {
      name: 'null',
      body: { limit: null },
      message: 'limit: Invalid input: expected number, received null.',
    },
    {
      name: 'a fraction',
      body: { limit: 1.5 },
      message: 'limit: Invalid input: expected int, received number.',
    },
    {
      name: 'too little',
      query: { limit: '0' },
      message: 'limit: Too small: expected number to be >=1.',
    },
    {
      name: 'too much',
      query: { limit: '201' },
      message: 'limit: Too big: expected number to be <=200.',
    },
    {
      name: 'too short',
      body: { note: 'x' },
      message: 'note: Too small: expected string to have >=2 characters.',
    },
    {
      name: 'too long',
      body: { note: 'secret' },
      message: 'note: Too big: expected string to have <=5 characters.',
    },
    {
      name: 'too many',
      body: { ids: [1, 2] },
      message: 'ids: Too big: expected array to have <=1 items.',
    },
    {
      name: 'a wrong entry',
      body: { ids: ['x'] },
      message: 'ids.0: Invalid input: expected number, received string.',
    },
    {
      name: 'another word',
      body: { mode: 'all' },
      message: 'mode: Invalid option: expected one of "full"|"incremental".',
    },
    {
      name: 'no time',
      query: { before: 'now' },
      message: 'before: Invalid ISO datetime.',
    },
    { name: 'an odd number', body: { even: 3 }, message: 'even: must be even.' },
    {
      name: 'no multiple',
      body: { step: 3 },
      message: 'step: Invalid number: must be a multiple of 5.',
    },
    { name: 'an unknown field', body: { foo: 1 }, message: 'foo is unknown here.' },
    {
      name: 'everything that is wrong at once',
      body: { limit: 0, a: 1, b: 2 },
      message: 'limit: Too small: expected number to be >=1; a, b are unknown here.',
    },
    {
      name: 'names that are no names',
      body: JSON.parse('{"0101302989":1,"k0101302989":1,"a b":1,"__proto__":1,"ok":1,"more":1}'),
      message:
        '(unreadable name), (unreadable name), (unreadable name), __proto__, ok, … are unknown here.',
    },
    {
      name: 'a nested query',
      query: { 'limit[a]': '2' },
      message: '(unreadable name) is unknown here.',
    },
    {
      name: 'a name twice',
      query: { limit: ['1', '2'] },
      message: 'limit is given more than once.',
    },
    {
      name: 'a name in both places',
      query: { limit: '1' },
      body: { limit: 1 },
      message: 'limit is given in the query and in the body.',
    },
    { name: 'an array', body: [], message: 'The body must be a JSON object.' },
    {
      name: 'null as octet-stream',
      body: Buffer.from('null'),
      message: 'The body must be a JSON object.',
    },
    { name: 'text', body: 'limit', type: 'text/plain', message: 'The body must be JSON.' },
    { name: 'bytes', body: Buffer.from([0xff, 0xfe]), message: 'The body must be JSON.' },
    {
      name: 'broken JSON that claims to be a form',
      body: '{"limit":',
      type: form,
      message: 'The body must be JSON.',
    },
    {
      name: 'a push that is not base64',
      pubsub: true,
      body: push('{}'),
      message: 'message.data must be base64.',
    },
    {
      name: 'a push that is not text',
      pubsub: true,
      body: push(5),
      message: 'message.data must be base64.',
    },
    {
      name: 'a push that is not JSON',
      pubsub: true,
      body: push(base64('run')),
      message: 'The body must be JSON.',
    },
    {
      name: 'a push of a list',
      pubsub: true,
      body: push(base64('[]')),
      message: 'The body must be a JSON object.',
    },
    {
      name: 'a push with a parameter beside its message',
      pubsub: true,
      body: { ...push(base64('{}')), deliveryAttempt: 1, limit: 5 },
      message: 'limit is beside the message of a Pub/Sub push.',
    },
    {
      name: 'a push where none is expected',
      body: push(base64('{}')),
      message: 'message, subscription are unknown here.',
    },
  ];
  test.each(cases)('$name', ({ message, ...given }) => {
    expect(() => read(given)).toThrow(new SyncError('invalid_request', message));
  });

  test.each([
    {
      name: 'text of another form',
      field: z.string().check(z.regex(/^sha256:/)),
      given: 'hunter2',
    },
    { name: 'no date', field: z.iso.date(), given: 'hunter2' },
    { name: 'no e-mail', field: z.email(), given: 'hunter2' },
    { name: 'no URL', field: z.url(), given: 'hunter2' },
    { name: 'no literal', field: z.literal('a'), given: 'hunter2' },
    { name: 'none of several kinds', field: z.union([z.int(), z.boolean()]), given: 'hunter2' },
    { name: 'no list', field: z.array(z.int()), given: { hunter2: 'hunter2' } },
    {
      name: 'a check without words',
      field: z.string().check(z.refine(() => false)),
      given: 'hunter2',
    },
    {
      name: 'a list of another length',
      field: z.array(z.string()).check(z.length(2)),
      given: ['hunter2'],
    },
  ])('$name, in words that do not repeat it', ({ field, given }) => {
    const one = z.strictObject({ field });
    const words = /^field: (?!.*hunter2)[A-Z].*\.$/;
    expect(() => readBy(one, { body: { field: given } })).toThrow(
      expect.objectContaining({ code: 'invalid_request', message: expect.stringMatching(words) }),
    );
  });

  test('text of a form that the schema puts in words', () => {
    const digest = z.string().check(z.regex(/^sha256:/, { error: 'must be a digest' }));
    const one = z.strictObject({ field: digest });
    expect(() => readBy(one, { body: { field: 'x' } })).toThrow('field: must be a digest.');
  });

  test('an entry under a name that might be a kennitala, without the name', () => {
    const one = z.strictObject({ field: z.record(z.string(), z.int()) });
    const body = { field: { '0101302989': 'x' } };
    expect(() => readBy(one, { body })).toThrow(
      'field.(unreadable name): Invalid input: expected number, received string.',
    );
  });

  test('an entry under a name of another form', () => {
    const one = z.strictObject({ field: z.record(z.string().check(z.regex(/^a/)), z.int()) });
    const body = { field: { a: 1, b: 1 } };
    expect(() => readBy(one, { body })).toThrow('field.b: Invalid key in record.');
  });

  test('a field that is missing', () => {
    const needed = z.strictObject({ plan: z.string() });
    expect(() => readBy(needed, { body: {} })).toThrow(
      'plan: Invalid input: expected string, received undefined.',
    );
  });

  test('a whole that does not fit together', () => {
    const either = z
      .strictObject({ a: z.optional(z.number()) })
      .check(z.refine((given) => given.a !== undefined, 'needs a'));
    expect(() => readBy(either, { body: {} })).toThrow('the request: needs a.');
  });
});

describe('a request is for this function:', () => {
  const accepted = { name: 'syncStatus', path: '/sync/status', methods: ['GET', 'POST'] };
  const check = (changes: object) =>
    checkRequest({ url: '/', method: 'GET', headers: {}, ...changes }, accepted);
  const refusal = (changes: object) => {
    try {
      check(changes);
    } catch (error) {
      return (error as SyncError).code;
    }
    return undefined;
  };

  test.each([
    '/',
    '/syncStatus',
    '/syncStatus/',
    '/sync/status',
    '/sync/status/',
    '/sync/status?a=/b',
    'https://f.example/sync/status?a',
  ])('%s', (url) => {
    expect(refusal({ url })).toBeUndefined();
  });

  test.each([
    '/syncstatus',
    '/sync',
    '/sync/status/x',
    '//',
    '/health',
    '/sync%2Fstatus',
    '/%zz',
    '*',
    'https://f.example/sync',
    '/favicon.ico',
  ])('but not %s', (url) => {
    expect(refusal({ url })).toBe('not_found');
  });

  test.each(['HEAD', 'OPTIONS', 'PUT', 'DELETE', 'PATCH'])('but not by %s', (method) => {
    expect(refusal({ method })).toBe('method_not_allowed');
  });

  test('the path is looked at before the method, and the method before the size', () => {
    const headers = { 'content-length': '65537' };
    expect(refusal({ headers, url: '/x', method: 'PUT' })).toBe('not_found');
    expect(refusal({ headers, method: 'PUT' })).toBe('method_not_allowed');
    expect(refusal({ headers })).toBe('payload_too_large');
    expect(refusal({ headers: { 'content-length': '65536' } })).toBeUndefined();
  });

  test.each([
    [{}, true],
    [{ 'content-encoding': 'identity' }, true],
    [{ 'content-encoding': 'gzip' }, false],
    [{ 'content-encoding': 'identity, gzip' }, false],
    [{ 'content-encoding': '' }, false],
    [{ 'content-type': 'application/json; charset=UTF-8' }, true],
    [{ 'content-type': 'application/json;charset="utf-8"' }, true],
    [{ 'content-type': 'application/json; charset=utf-16' }, false],
    [{ 'content-type': 'application/json; CHARSET = iso-8859-1' }, false],
    [{ 'content-type': 'application/json, application/json' }, true],
    [{ 'content-type': '*/*' }, true],
    [{ 'content-type': '' }, true],
  ])('a body under the headers %j is read: %s', (headers, isRead) => {
    expect(refusal({ method: 'POST', headers })).toBe(
      isRead ? undefined : 'unsupported_media_type',
    );
  });

  test.each([
    [{}, true],
    [{ 'sec-fetch-site': 'none' }, true],
    [{ 'sec-fetch-site': 'same-origin', origin: 'https://f.example' }, true],
    [{ origin: 'https://f.example' }, true],
    [{ 'sec-fetch-site': 'same-site' }, false],
    [{ 'sec-fetch-site': 'cross-site' }, false],
    [{ 'sec-fetch-site': 'none, cross-site' }, false],
    [{ 'sec-fetch-site': '' }, false],
    [{ 'sec-fetch-site': 'same-origin', origin: 'https://evil.example' }, false],
    [{ origin: 'https://f.example.evil.example' }, false],
    [{ origin: 'https://f.example:444' }, false],
    [{ origin: 'null' }, false],
    [{ origin: '' }, false],
    [{ origin: 'https://f.example, https://evil.example' }, false],
  ])('a POST with %j comes from no page of somebody else: %s', (headers, isOurs) => {
    const given = { host: 'F.example', ...headers };
    expect(refusal({ method: 'POST', headers: given })).toBe(isOurs ? undefined : 'forbidden');
    expect(refusal({ headers: given })).toBeUndefined();
  });
});

describe('an error becomes an answer:', () => {
  test.each(Object.entries(statusOf))('%s is status %i', (_code, status) => {
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(600);
  });

  test('with its run and what else it carries', () => {
    const error = new SyncError('plan_changed', 'changed', { runId: 7, extra: { plan: 'abc' } });
    expect(errorBody(error)).toEqual({
      error: { code: 'plan_changed', message: 'changed', run_id: 7, plan: 'abc' },
    });
  });

  test('without a run where there is none', () => {
    expect(errorBody(new SyncError('not_found', 'm'))).toEqual({
      error: { code: 'not_found', message: 'm' },
    });
  });
});

test.each([
  ['google-cloud-sdk gcloud/528.0.0 command/gcloud.functions.call invocation-id/x', true],
  ['gcloud/528.0.0', true],
  ['Google-Cloud-Scheduler', false],
  ['APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)', false],
  ['curl/8.5.0', false],
  [undefined, false],
])('the User-Agent %s is that of gcloud: %s', (userAgent, expected) => {
  expect(isGcloud(userAgent)).toBe(expected);
});

test('every function has its route, and no route is without its function', () => {
  const files = readdirSync(join(import.meta.dirname, '../../../functions')).filter((file) =>
    file.endsWith('.ts'),
  );
  expect(Object.keys(routes).sort()).toEqual(files.map((file) => file.replace('.ts', '')).sort());
  expect(Object.entries(routes).filter(([key, { name }]) => key !== name)).toEqual([]);
  const paths = Object.values(routes).map(({ path }) => path);
  expect(new Set(paths).size).toBe(paths.length);
});
