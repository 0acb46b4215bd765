import type { RequestListener } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { SyncError } from '../../../lib/errors.ts';
import { until } from '../../support/until.ts';
import {
  clientFor,
  collect,
  idsOf,
  json,
  KEY,
  pageOf,
  people,
  queryOf,
  roundTrips,
  serve,
} from './support.ts';

const body = JSON.stringify({ count: 50, next: null, results: people(50) });
const jsonHeader = { 'Content-Type': 'application/json' };

describe('a body that arrives damaged is asked for again, and then django_unreachable or invalid:', () => {
  const cases: [string, string, RequestListener][] = [
    [
      'cut off before its Content-Length',
      'django_unreachable',
      (_request, response) => {
        response.writeHead(200, { ...jsonHeader, 'Content-Length': body.length });
        response.write(body.slice(0, 100), () => response.destroy());
      },
    ],
    [
      'cut off in the middle of its chunks',
      'django_unreachable',
      (_request, response) => {
        response.writeHead(200, jsonHeader);
        response.write(body.slice(0, 100), () => response.destroy());
      },
    ],
    [
      'bytes that are not gzip',
      'django_unreachable',
      (_request, response) =>
        response.writeHead(200, { ...jsonHeader, 'Content-Encoding': 'gzip' }).end(body),
    ],
    [
      'gzip that is corrupt in the middle',
      'django_unreachable',
      (_request, response) => {
        const zipped = gzipSync(body);
        zipped.fill(0xff, 20, 60);
        response.writeHead(200, { ...jsonHeader, 'Content-Encoding': 'gzip' }).end(zipped);
      },
    ],
    [
      'another protocol instead of a body',
      'django_unreachable',
      (_request, response) => {
        response.socket?.write(
          'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n',
        );
      },
    ],
    [
      'gzip that ends early but politely',
      'django_invalid_response',
      (_request, response) => {
        const zipped = gzipSync(body).subarray(0, 100);
        response
          .writeHead(200, {
            ...jsonHeader,
            'Content-Encoding': 'gzip',
            'Content-Length': zipped.length,
          })
          .end(zipped);
      },
    ],
    ['no answer at all', 'django_unreachable', (request) => request.socket.destroy()],
  ];

  test.each(cases)('%s', async (_, code, damaged) => {
    let requests = 0;
    const origin = await serve((request, response) => {
      requests += 1;
      if (requests === 1 || request.url?.startsWith('/always')) return damaged(request, response);
      response.writeHead(200, { ...jsonHeader, 'Content-Encoding': 'gzip' }).end(gzipSync(body));
    });
    const pages = await collect(clientFor(origin).client.getMembers());
    expect(pages[0]).toMatchObject({ rows: 50, retries: 1 });

    const env = { DJANGO_MAX_RETRIES: '1' };
    const { client } = clientFor(`${origin}/always`, { env });
    await expect(collect(client.getMembers())).rejects.toMatchObject({ code });
    expect(requests).toBe(4);
  });

  test('nobody listens', async () => {
    const env = { DJANGO_MAX_RETRIES: '1' };
    await expect(
      collect(clientFor('http://127.0.0.1:1', { env }).client.getMembers()),
    ).rejects.toMatchObject({
      name: 'DjangoNetworkError',
      code: 'django_unreachable',
      message: expect.stringMatching(/ECONNREFUSED/),
    });
  });

  test('what answers does not speak HTTP', async () => {
    const server = createTcpServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', () => socket.destroySoon());
      socket.write('SSH-2.0-none\r\n');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const env = { DJANGO_MAX_RETRIES: '0' };
    try {
      await expect(
        collect(clientFor(`http://127.0.0.1:${port}`, { env }).client.getMembers()),
      ).rejects.toMatchObject({ code: 'django_unreachable' });
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });
});

describe('DJANGO_TIMEOUT_MS covers the whole answer:', () => {
  const env = { DJANGO_TIMEOUT_MS: '100', DJANGO_MAX_RETRIES: '0' };
  const timedOut = { name: 'DjangoTimeoutError', code: 'django_unreachable' };

  test('silence', async () => {
    const origin = await serve(() => {});
    await expect(collect(clientFor(origin, { env }).client.getMembers())).rejects.toMatchObject(
      timedOut,
    );
  });

  test('a body that drips without ever being silent', async () => {
    const origin = await serve((_request, response) => {
      response.writeHead(200, jsonHeader);
      const drip = setInterval(() => response.write(' '), 10);
      response.on('close', () => clearInterval(drip));
    });
    await expect(collect(clientFor(origin, { env }).client.getMembers())).rejects.toMatchObject(
      timedOut,
    );
  });

  test('a timeout is asked for again', async () => {
    let requests = 0;
    const origin = await serve((_request, response) => {
      requests += 1;
      if (requests > 1) json(response, people(1));
    });
    const retrying = { DJANGO_TIMEOUT_MS: '800', DJANGO_MAX_RETRIES: '1' };
    const pages = await collect(clientFor(origin, { env: retrying }).client.getMembers());
    expect(pages[0]?.retries).toBe(1);
  });
});

describe('a page has a size limit', () => {
  const padding = ' '.repeat(1024 * 1024);

  test.each(['plain', 'gzip'])('of 64 MiB, counted after decompression (%s)', async (encoding) => {
    let requests = 0;
    const zipped = encoding === 'gzip' ? gzipSync(Buffer.alloc(65 * 1024 * 1024, 0x20)) : undefined;
    const origin = await serve(async (_request, response) => {
      requests += 1;
      if (zipped) {
        return response.writeHead(200, { ...jsonHeader, 'Content-Encoding': 'gzip' }).end(zipped);
      }
      response.writeHead(200, jsonHeader);
      await pipeline(Readable.from(Array(80).fill(padding)), response).catch(() => {});
    });
    await expect(collect(clientFor(origin).client.getMembers())).rejects.toMatchObject({
      name: 'DjangoShapeError',
      code: 'django_invalid_response',
      message: expect.stringMatching(/DJANGO_PAGE_SIZE/),
    });
    expect(requests).toBe(1);
  });
});

describe('large pages fit in memory:', () => {
  const padding = ' '.repeat(1024 * 1024);
  const rows = people(12).map((record) => ({ ...record, note: 'x'.repeat(6 * 1024 * 1024) }));

  test('fewer of them are asked for at once', async () => {
    let running = 0;
    let most = 0;
    const origin = await serve(async (request, response) => {
      running += 1;
      most = Math.max(most, running);
      await delay(20);
      running -= 1;
      json(response, pageOf('page-number', rows, queryOf(request), 1));
    });
    const env = { DJANGO_CONCURRENCY: '32' };
    const pages = await collect(clientFor(origin, { env }).client.getMembers());
    expect(idsOf(pages)).toHaveLength(12);
    expect(most).toBeLessThanOrEqual(8);
  });

  test('what comes at once is counted together', async () => {
    const origin = await serve((request, response) => {
      if (!queryOf(request).has('page')) {
        return json(response, pageOf('page-number', people(50), queryOf(request)));
      }
      response.writeHead(200, jsonHeader).write(padding.repeat(24));
    });
    await expect(collect(clientFor(origin).client.getMembers())).rejects.toMatchObject({
      name: 'DjangoShapeError',
      message: expect.stringMatching(/MiB at once/),
    });
  });

  test.each(['{},', '[],', '[[[]]],'])(
    'a page of %s is refused before it is parsed',
    async (part) => {
      const origin = await serve((_request, response) =>
        response.writeHead(200, jsonHeader).end(`[${part.repeat(500_000)}{}]`),
      );
      await expect(collect(clientFor(origin).client.getMembers())).rejects.toMatchObject({
        name: 'DjangoShapeError',
        message: expect.stringMatching(/far more lists and objects/),
      });
    },
  );
});

describe('a redirect', () => {
  test('to the missing slash is followed with the key and the query, and only once', async () => {
    const seen: string[] = [];
    const origin = await serve((request, response) => {
      seen.push(`${request.url?.split('?')[0]} ${request.headers.authorization}`);
      const [path, query] = (request.url ?? '').split('?');
      if (path === '/api/members') {
        return response.writeHead(301, { Location: `/api/members/?${query}` }).end();
      }
      json(response, pageOf('page-number', people(25), queryOf(request)));
    });
    const pages = await collect(clientFor(origin).client.getMembers());
    expect(idsOf(pages)).toHaveLength(25);
    expect(seen).toEqual([
      `/api/members Bearer ${KEY}`,
      ...Array(3).fill(`/api/members/ Bearer ${KEY}`),
    ]);
  });

  test.each([301, 302, 303, 307, 308])('%d that forgets the query keeps ours', async (status) => {
    const origin = await serve((request, response) => {
      if (!request.url?.startsWith('/members/')) {
        return response.writeHead(status, { Location: '/members/' }).end();
      }
      json(response, pageOf('page-number', people(25), queryOf(request)));
    });
    const env = { DJANGO_MEMBERS_PATH: '/members' };
    const pages = await collect(clientFor(origin, { env }).client.getMembers());
    expect(idsOf(pages)).toHaveLength(25);
  });

  test.each([
    ['another port', (other: string) => `${other}/api/members/`],
    ['another host', (other: string) => other.replace('127.0.0.1', 'localhost')],
    ['https', (_: string, own: string) => own.replace('http:', 'https:')],
    ['another scheme', () => 'ftp://127.0.0.1/'],
    ['another host without a scheme', (other: string) => other.replace('http:', '')],
  ])('to %s is an error that sends nothing there', async (_, location) => {
    let strangers = 0;
    const other = await serve((_request, response) => {
      strangers += 1;
      json(response, people(1));
    });
    const origin = await serve((request, response) =>
      response
        .writeHead(302, { Location: location(other, `http://${request.headers.host}`) })
        .end(),
    );
    await expect(collect(clientFor(origin).client.getMembers())).rejects.toMatchObject({
      name: 'DjangoHttpError',
      code: 'django_error',
      message: expect.stringMatching(/another origin, .*Set DJANGO_BASE_URL/),
      // For the caller, and not for the log.
      extra: { redirected_to: expect.any(String) },
    });
    expect(strangers).toBe(0);
  });

  test('is followed three times at most', async () => {
    let requests = 0;
    const origin = await serve((_request, response) => {
      requests += 1;
      response.writeHead(302, { Location: `/hop/${requests}` }).end();
    });
    await expect(collect(clientFor(origin).client.getMembers())).rejects.toMatchObject({
      code: 'django_error',
      message: expect.stringMatching(/more than 3 times/),
    });
    expect(requests).toBe(4);
  });

  test('that names no address is an error', async () => {
    const origin = await serve((_request, response) =>
      response.writeHead(302, { Location: 'http://[' }).end(),
    );
    await expect(collect(clientFor(origin).client.getMembers())).rejects.toMatchObject({
      code: 'django_error',
    });
  });
});

test('a next link with another scheme, host and path sends nothing there', async () => {
  let strangers = 0;
  const other = await serve((_request, response) => {
    strangers += 1;
    json(response, []);
  });
  const paths = new Set<string | undefined>();
  const origin = await serve((request, response) => {
    paths.add(request.url?.split('?')[0]);
    const page = pageOf('cursor', people(25), queryOf(request)) as { next: string | null };
    const query = page.next?.split('?')[1];
    json(response, { ...page, next: query ? `${other}/evil/?${query}` : null });
  });
  expect(idsOf(await collect(clientFor(origin).client.getMembers()))).toHaveLength(25);
  expect(strangers).toBe(0);
  expect([...paths]).toEqual(['/api/members']);
});

test('the proxy variables of the environment are not used for the key', async () => {
  let proxied = 0;
  const proxy = await serve((_request, response) => {
    proxied += 1;
    json(response, []);
  });
  const origin = await serve((_request, response) => json(response, people(1)));
  const before = process.env['HTTP_PROXY'];
  process.env['HTTP_PROXY'] = proxy;
  try {
    expect(idsOf(await collect(clientFor(origin).client.getMembers()))).toEqual([1]);
    expect(proxied).toBe(0);
  } finally {
    if (before === undefined) {
      delete process.env['HTTP_PROXY'];
    } else process.env['HTTP_PROXY'] = before;
  }
});

test('connections are kept between pages', async () => {
  const ports = new Set<number | undefined>();
  const origin = await serve((request, response) => {
    ports.add(request.socket.remotePort);
    json(response, pageOf('page-number', people(200), queryOf(request)));
  });
  await collect(clientFor(origin, { env: { DJANGO_CONCURRENCY: '2' } }).client.getMembers());
  expect(ports.size).toBeLessThanOrEqual(2);
});

describe('an aborted signal ends at once', () => {
  const reason = new SyncError('interrupted', 'shutting down');

  test.each([
    ['a request', {}, (): void => {}],
    [
      'the pause that Retry-After asks for',
      {},
      (_request: unknown, response: Parameters<RequestListener>[1]) =>
        void response.writeHead(429, { 'Retry-After': '50' }).end(),
    ],
    ['waiting for its turn', { DJANGO_CONCURRENCY: '1' }, (): void => {}],
  ])('%s', async (_, env, listener) => {
    let requests = 0;
    const origin = await serve((request, response) => {
      requests += 1;
      listener(request, response);
    });
    const abort = new AbortController();
    const { client } = clientFor(origin, { env, signal: abort.signal });
    const waiting = Promise.allSettled([client.getMember('1'), client.getMember('2')]);
    await until(() => requests > 0);
    await roundTrips();
    abort.abort(reason);
    for (const result of await waiting) expect(result).toMatchObject({ reason });
  });
});
