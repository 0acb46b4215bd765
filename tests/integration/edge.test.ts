import { connect } from 'node:net';
import { http } from '@google-cloud/functions-framework';
import * as z from 'zod/mini';
import { SyncError } from '../../lib/errors.ts';
import { endpoint } from '../../lib/http/endpoint.ts';
import { serve } from '../../lib/http/serve.ts';
import '../../functions/health.ts';
import { posting, type Reply, request } from '../support/http.ts';
import { serveFunction } from '../support/inProcess.ts';
import { until } from '../support/until.ts';

const key = 'a-key';
const authorization = { Authorization: `Bearer ${key}` };
const environment = {
  NODE_ENV: 'test',
  ADMIN_API_KEY: key,
  LOG_LEVEL: 'INFO',
  GOOGLE_CLOUD_PROJECT: 'p',
  CLOUD_RUN_TIMEOUT_SECONDS: '10',
};

let behave: (signal: AbortSignal) => Promise<object>;
http(
  'probe',
  endpoint(
    {
      name: 'probe',
      path: '/sync/probe',
      methods: ['GET', 'POST'],
      needs: [],
      pubsub: true,
      parameters: z.strictObject({
        limit: z._default(z.int().check(z.minimum(1), z.maximum(200)), 20),
        mode: z.optional(z.enum(['full', 'incremental'])),
      }),
      answer: async ({ parameters, caller, signal, deadline }) => {
        const behaviour = await behave(signal);
        const seconds = Math.round((deadline.getTime() - Date.now()) / 100) / 10;
        return { body: { parameters, caller, seconds, ...behaviour } };
      },
    },
    environment,
  ),
);
http(
  'bare',
  endpoint({ name: 'bare', path: '/bare', methods: ['POST'], needs: [], answer }, environment),
);
async function answer() {
  return { status: 202, body: { accepted: true } };
}

let lines: Record<string, unknown>[];
let url: string;
beforeAll(async () => {
  url = await serveFunction('probe');
});
beforeEach(() => {
  behave = async () => ({});
  lines = [];
  jest.spyOn(process.stdout, 'write').mockImplementation((line) => {
    lines.push(JSON.parse(String(line)));
    return true;
  });
});
afterEach(() => {
  jest.restoreAllMocks();
});

const ask = (path = '/', init: RequestInit = {}) =>
  request(url + path, { ...init, headers: { ...authorization, ...init.headers } });
const code = ({ body }: Reply) => body.error?.code;

test('an answer is JSON that no cache keeps', async () => {
  const { status, headers, body } = await ask('/sync/probe?limit=5');
  expect(status).toBe(200);
  expect(body).toMatchObject({ parameters: { limit: 5 }, caller: 'admin-key' });
  expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
  expect(headers.get('cache-control')).toBe('no-store');
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('x-powered-by')).toBeNull();
});

test('a handler says which status it wants, and may have no parameters', async () => {
  const bare = await serveFunction('bare');
  expect(await request(bare, { method: 'POST', headers: authorization })).toMatchObject({
    status: 202,
    body: { accepted: true },
  });
  const refused = await request(bare, posting({ limit: 1 }, authorization));
  expect(refused).toMatchObject({
    status: 400,
    body: { error: { message: 'limit is unknown here.' } },
  });
});

describe('checks come in this order:', () => {
  const unauthorized = { Authorization: 'Bearer wrong' };
  test.each([
    {
      name: 'path',
      path: '/x',
      init: { method: 'PUT', headers: unauthorized },
      status: 404,
      expected: 'not_found',
    },
    {
      name: 'method',
      path: '/',
      init: { method: 'PUT', headers: unauthorized },
      status: 405,
      expected: 'method_not_allowed',
    },
    {
      name: 'size',
      path: '/',
      init: posting(`{"a":"${'x'.repeat(70_000)}"}`, unauthorized),
      status: 413,
      expected: 'payload_too_large',
    },
    {
      name: 'caller',
      path: '/',
      init: posting({ a: 1 }, unauthorized),
      status: 401,
      expected: 'unauthorized',
    },
    {
      name: 'parameters',
      path: '/',
      init: posting({ a: 1 }),
      status: 400,
      expected: 'invalid_request',
    },
  ])('$name', async ({ path, init, status, expected }) => {
    const reply = await ask(path, init);
    expect(reply.status).toBe(status);
    expect(code(reply)).toBe(expected);
  });
});

test.each(['HEAD', 'OPTIONS', 'DELETE'])('%s is told which methods there are', async (method) => {
  const { status, headers } = await ask('/', { method });
  expect(status).toBe(405);
  expect(headers.get('allow')).toBe('GET, POST');
});

test('who is refused learns how to come back', async () => {
  const { headers } = await request(url);
  expect(headers.get('www-authenticate')).toBe('Bearer');
});

describe('bodies, as they are sent:', () => {
  const cases: { name: string; init: RequestInit; status: number; expected: unknown }[] = [
    { name: 'none at all', init: { method: 'POST' }, status: 200, expected: { limit: 20 } },
    {
      name: 'an empty one that claims to be JSON, as gcloud sends it',
      init: posting(''),
      status: 200,
      expected: { limit: 20 },
    },
    {
      name: 'JSON without a content type',
      init: { method: 'POST', body: new Blob(['{"limit":7}']) },
      status: 200,
      expected: { limit: 7 },
    },
    {
      name: 'nothing, in chunks and without a content type',
      init: { method: 'POST', body: new Blob([]).stream(), duplex: 'half' } as RequestInit,
      status: 200,
      expected: { limit: 20 },
    },
    {
      name: 'JSON as octet-stream, as the scheduler sends it',
      init: posting('{"limit":7}', { 'Content-Type': 'application/octet-stream' }),
      status: 200,
      expected: { limit: 7 },
    },
    {
      name: 'JSON as text',
      init: posting('{"limit":7}', { 'Content-Type': 'text/plain' }),
      status: 200,
      expected: { limit: 7 },
    },
    {
      name: 'JSON as curl -d sends it',
      init: posting('{"limit":7}', { 'Content-Type': 'application/x-www-form-urlencoded' }),
      status: 200,
      expected: { limit: 7 },
    },
    {
      name: 'a form',
      init: { method: 'POST', body: new URLSearchParams({ limit: '7' }) },
      status: 200,
      expected: { limit: 7 },
    },
    {
      name: 'a Pub/Sub push',
      init: posting({
        message: { data: Buffer.from('{"mode":"full"}').toString('base64'), messageId: '1' },
        subscription: 'projects/p/subscriptions/s',
      }),
      status: 200,
      expected: { limit: 20, mode: 'full' },
    },
    { name: 'a list', init: posting('[1]'), status: 400, expected: undefined },
    {
      name: 'a number as octet-stream',
      init: posting('42', { 'Content-Type': 'application/octet-stream' }),
      status: 400,
      expected: undefined,
    },
  ];
  test.each(cases)('$name', async ({ init, status, expected }) => {
    const reply = await ask('/', init);
    expect(reply.status).toBe(status);
    expect(reply.body['parameters']).toEqual(expected);
  });

  test.each([
    'application/json, application/json',
    'application/json;',
    'application',
    ';',
    '*/*',
    'text/html; charset=utf-8; charset=utf-8',
    'multipart/form-data; boundary=x',
    'application/cloudevents+json',
    'application/x-www-form-urlencoded, application/json',
    '',
  ])('JSON that claims to be %j', async (type) => {
    const reply = await ask('/', posting('{"limit":7}', { 'Content-Type': type }));
    expect(reply).toMatchObject({ status: 200, body: { parameters: { limit: 7 } } });
  });

  test.each(['"text"', '98765432101234', 'null', '{"limit":', 'limit=7', '%7B%22limit%22:7%7D'])(
    '%s is refused, and not logged',
    async (body) => {
      const reply = await ask('/', posting(body));
      expect([reply.status, code(reply)]).toEqual([400, 'invalid_request']);
      expect(JSON.stringify(lines)).not.toContain(body);
    },
  );
});

test('a size that the header hides is found', async () => {
  const stream = new Blob(['x'.repeat(70_000)]).stream();
  const init = { method: 'POST', body: stream, duplex: 'half' } as RequestInit;
  expect(code(await ask('/', init))).toBe('payload_too_large');
});

test.each(['/favicon.ico', '/robots.txt', '/%zz', '/%', '//', '/sync/probe/..%2f'])(
  '%s is not here',
  async (path) => {
    const reply = await ask(path);
    expect([reply.status, code(reply)]).toEqual([404, 'not_found']);
  },
);

describe('errors:', () => {
  test('a run that failed is named, with what else there is to say', async () => {
    behave = async () => {
      throw new SyncError('plan_changed', 'The plan has changed.', {
        runId: 4,
        extra: { plan: 'x' },
      });
    };
    const reply = await ask();
    expect(reply.status).toBe(409);
    expect(reply.body).toEqual({
      error: { code: 'plan_changed', message: 'The plan has changed.', run_id: 4, plan: 'x' },
    });
    expect(lines[0]).toMatchObject({ severity: 'WARNING', run_id: 4, error_code: 'plan_changed' });
  });

  test('a bug is an internal error without detail, and is reported with its stack, redacted', async () => {
    behave = async () => {
      throw new TypeError('of jon@example.is 010130-2989');
    };
    const reply = await ask();
    expect(reply.status).toBe(500);
    expect(code(reply)).toBe('internal_error');
    expect(reply.text).not.toContain('example.is');
    expect(reply.headers.get('x-google-status')).toBeNull();
    expect(lines[0]).toMatchObject({
      severity: 'ERROR',
      '@type': expect.stringContaining('ReportedErrorEvent'),
      message: expect.stringMatching(/^TypeError: of \*\*\*@\*\*\* \*{6}-\*{4}\n\s+at /),
    });
  });

  test('an answer that is no JSON is an internal error', async () => {
    behave = async () => ({ count: 10n });
    expect(code(await ask())).toBe('internal_error');
  });

  test('a database that is not there is 503, and the log says why', async () => {
    behave = async () => {
      throw Object.assign(new Error('password authentication failed'), { code: '28P01' });
    };
    const reply = await ask();
    expect(reply.status).toBe(503);
    expect(code(reply)).toBe('database_unavailable');
    expect(lines[0]).toMatchObject({
      severity: 'ERROR',
      cause: expect.stringContaining('password'),
    });
  });

  test('gcloud gets status 200, because it shows nothing else, with the error in the body', async () => {
    const agent = { 'User-Agent': 'google-cloud-sdk gcloud/528.0.0 command/gcloud.functions.call' };
    for (const init of [
      { headers: { ...agent, Authorization: 'Bearer x' } },
      posting({ a: 1 }, agent),
    ]) {
      const reply = await ask('/', init);
      expect(reply.status).toBe(200);
      expect(code(reply)).toMatch(/^(unauthorized|invalid_request)$/);
    }
    expect(lines.map((line) => line['status'])).toEqual([401, 400]);
  });
});

test('a page that cannot say what went wrong is answered as JSON, and the log has both', async () => {
  const fail = (what: string) => () => {
    throw new Error(`${what} is broken`);
  };
  http(
    'page',
    serve({
      name: 'page',
      path: '/page',
      methods: ['GET'],
      handle: fail('it'),
      present: fail('the page'),
    }),
  );
  const { status, body } = await request(await serveFunction('page'));
  expect([status, body]).toMatchObject([500, { error: { code: 'internal_error' } }]);
  expect(lines.map(({ message }) => message)).toEqual([
    expect.stringContaining('the page is broken'),
    expect.stringContaining('it is broken'),
  ]);
});

test('a request that takes too long is told to stop before the platform stops it', async () => {
  behave = async (signal) => {
    expect(signal.aborted).toBe(false);
    return {};
  };
  // A quarter of ten seconds is kept back.
  expect((await ask()).body['seconds']).toBeCloseTo(7.5, 0);
});

test('one line is logged for a request: what, who, how long, and the trace', async () => {
  await ask('/?limit=5', {
    headers: {
      traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
      'X-CloudScheduler': 'true',
      'X-CloudScheduler-JobName': 'sync-hourly',
    },
  });
  expect(lines).toEqual([
    {
      severity: 'INFO',
      message: 'Answered 200',
      event: 'request',
      time: expect.any(String),
      route: 'probe',
      method: 'GET',
      status: 200,
      duration_ms: expect.any(Number),
      caller: 'admin-key',
      scheduler_job: 'sync-hourly',
      'logging.googleapis.com/trace': 'projects/p/traces/4bf92f3577b34da6a3ce929d0e0e4736',
      'logging.googleapis.com/spanId': '00f067aa0ba902b7',
      'logging.googleapis.com/trace_sampled': true,
    },
  ]);
});

test('a failed attempt is logged as a warning, without the credential', async () => {
  await ask('/?limit=5', { headers: { Authorization: 'Bearer hunter2' } });
  expect(lines).toEqual([
    expect.objectContaining({ severity: 'WARNING', error_code: 'unauthorized' }),
  ]);
  expect(JSON.stringify(lines)).not.toContain('hunter2');
});

test('a caller that hangs up does not stop the handler, and the request still ends', async () => {
  const finished = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  const gone = Promise.withResolvers<void>();
  behave = async (signal) => {
    started.resolve();
    await gone.promise;
    expect(signal.aborted).toBe(false);
    finished.resolve();
    return {};
  };
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.write(
    `POST / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nContent-Length: 0\r\n\r\n`,
  );
  await started.promise;
  socket.destroy();
  // A request that comes later has been answered: the server knows by now that the first caller has gone.
  expect((await request(`${url}/elsewhere`)).status).toBe(404);
  gone.resolve();
  await finished.promise;
  await until(() => lines.length === 2);
  expect(lines[1]).toMatchObject({ event: 'request', status: 200 });
});

test('a body that ends too early is the fault of the caller, who is gone', async () => {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.write(
    `POST / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nContent-Length: 9\r\n\r\n{"a`,
  );
  expect((await request(`${url}/elsewhere`)).status).toBe(404);
  lines = [];
  socket.destroy();
  await until(() => lines.length > 0);
  expect(lines).toEqual([expect.objectContaining({ error_code: 'invalid_request' })]);
});

describe('health', () => {
  let health: string;
  beforeAll(async () => {
    health = await serveFunction('health');
  });

  test.each(['/', '/health'])('answers anybody at %s', async (path) => {
    expect(await request(health + path)).toMatchObject({
      status: 200,
      body: { status: 'healthy', service: 'membership-sync' },
    });
  });

  test('is for GET only', async () => {
    const { status, headers } = await request(health, { method: 'POST' });
    expect(status).toBe(405);
    expect(headers.get('allow')).toBe('GET');
  });
});

test('a broken environment refuses to start, and one line names all that is wrong', () => {
  const definition = {
    name: 'x',
    path: '/x',
    methods: ['GET'],
    needs: ['database'] as const,
    answer,
  };
  expect(() => endpoint(definition, { PORT: 'x' })).toThrow('The configuration has 3 problem(s)');
  expect(lines).toEqual([
    expect.objectContaining({
      severity: 'CRITICAL',
      event: 'config_invalid',
      problems: [
        expect.stringMatching(/^PORT must be/),
        'DATABASE_URL is missing',
        expect.stringMatching(/^ADMIN_API_KEY is missing/),
      ],
    }),
  ]);
});
