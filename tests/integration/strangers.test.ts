import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { ADMIN_KEY } from '../support/http.ts';
import { until } from '../support/until.ts';
import { createWorld, type Settings, type World } from '../support/world.ts';

// Requests as a stranger may write them, byte by byte, to the built functions: no credential came with them,
// and each is answered, as JSON, before anybody looks for one.

let world: World;
beforeAll(async () => {
  world = await createWorld({ members: 5, functions: 'built' });
});

/** Everything that comes back until the server closes, or until it is `enough`. */
async function send(
  name: string,
  parts: (string | Buffer)[],
  {
    settings,
    enough = () => false,
  }: { settings?: Settings; enough?: (text: string) => boolean } = {},
): Promise<string> {
  const { url } = await world.bundle(name, settings);
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk) => {
    text += chunk;
  });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  for (const part of parts) {
    socket.write(part);
    await sleep(1);
  }
  await until(() => socket.closed || enough(text));
  socket.destroy();
  return text;
}

const answered = (text: string) => /\r\n\r\n[\s\S]*\}/.test(text);
const statusOf = (text: string) => Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]);
const codeOf = (text: string) => /"code":"(\w+)"/.exec(text)?.[1];
const head = (...lines: string[]) =>
  ['POST / HTTP/1.1', 'Host: f.example', ...lines, '', ''].join('\r\n');
const chunk = (bytes: Buffer | string) =>
  Buffer.concat([
    Buffer.from(`${bytes.length.toString(16)}\r\n`),
    Buffer.from(bytes),
    Buffer.from('\r\n'),
  ]);
const json = 'Content-Type: application/json';

describe.each(['syncScheduled', 'syncStatus'])('%s', (name) => {
  test('does not inflate a body', async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    expect(bomb.length).toBeLessThan(60_000);
    for (const encoding of ['gzip', 'deflate', 'br', 'zstd', 'GZIP', 'identity, gzip', 'x']) {
      const text = await send(
        name,
        [head(json, `Content-Encoding: ${encoding}`, `Content-Length: ${bomb.length}`), bomb],
        { enough: answered },
      );
      expect([encoding, statusOf(text), codeOf(text)]).toEqual([
        encoding,
        415,
        'unsupported_media_type',
      ]);
    }
  });

  test('reads no more than 64 KiB, announced or not', async () => {
    const large = Buffer.alloc(70_000, ' ');
    for (const parts of [
      [head(json, 'Content-Length: 999999999')],
      [head(json, `Content-Length: ${large.length}`), large],
      [head(json, 'Transfer-Encoding: chunked'), chunk(large)],
      [
        head('Transfer-Encoding: chunked'),
        ...Array.from({ length: 70 }, () => chunk(Buffer.alloc(1000))),
      ],
      [
        head('Content-Type: multipart/form-data; boundary=x', 'Transfer-Encoding: chunked'),
        chunk(large),
      ],
    ]) {
      const text = await send(name, parts, { enough: answered });
      expect([statusOf(text), codeOf(text)]).toEqual([413, 'payload_too_large']);
    }
  });

  test('has nothing to do with a page of another site', async () => {
    for (const header of [
      'Sec-Fetch-Site: cross-site',
      'Sec-Fetch-Site: same-site',
      'Sec-Fetch-Site: same-origin\r\nSec-Fetch-Site: none',
      'Origin: https://evil.example',
      'Origin: null',
      'Origin: http://f.example\r\nOrigin: https://evil.example',
      'Sec-Fetch-Site: same-origin\r\nOrigin: https://evil.example',
    ]) {
      const text = await send(
        name,
        [head(header, `Authorization: Bearer ${ADMIN_KEY}`, 'Content-Length: 0')],
        { enough: answered },
      );
      expect([header, statusOf(text), codeOf(text)]).toEqual([header, 403, 'forbidden']);
    }
  });
});

describe('a body that does not come', () => {
  test('is waited for ten seconds, and nobody is asked for a credential', async () => {
    const parts = [head(json, 'Content-Length: 20'), '{"external'];
    const started = performance.now();
    const [slow, never] = await Promise.all([
      send('syncScheduled', parts),
      send('syncStatus', [head('Transfer-Encoding: chunked')]),
    ]);
    for (const text of [slow, never]) {
      expect([statusOf(text), codeOf(text)]).toEqual([408, 'request_timeout']);
      expect(text).toMatch(/Connection: close/i);
    }
    expect(performance.now() - started).toBeGreaterThan(9_900);
  });

  test('drips in vain', async () => {
    const { url } = await world.bundle('syncStatus');
    const socket: Socket = connect(Number(new URL(url).port), '127.0.0.1');
    let text = '';
    socket.setEncoding('utf8').on('data', (more) => {
      text += more;
    });
    socket.on('error', () => undefined);
    socket.write(head(json, 'Transfer-Encoding: chunked'));
    const dripping = setInterval(() => socket.write(chunk(' ')), 100);
    await until(() => socket.closed);
    clearInterval(dripping);
    expect([statusOf(text), codeOf(text)]).toEqual([408, 'request_timeout']);
  });

  test('is not waited for once the answer is there', async () => {
    // Refused by its size: the rest of it, which never ends, is dropped with the connection.
    const text = await send('syncStatus', [
      head(json, 'Content-Length: 999999999'),
      Buffer.alloc(100),
    ]);
    expect(statusOf(text)).toBe(413);
  });
});

describe.each(['development', 'production'])('with NODE_ENV=%s', (environment) => {
  const settings = { NODE_ENV: environment };
  const line = (start: string, ...lines: string[]) =>
    [start, 'Host: f.example', ...lines, 'Content-Length: 0', '', ''].join('\r\n');

  test.each([
    'GET /%zz HTTP/1.1',
    'GET /%E0%A4%A HTTP/1.1',
    'GET //a/b HTTP/1.1',
    'GET /sync/../../etc/passwd HTTP/1.1',
    'GET http://other.example/secret HTTP/1.1',
    'OPTIONS * HTTP/1.1',
    'TRACE / HTTP/1.1',
    'DELETE /sync HTTP/1.1',
    'PROPFIND / HTTP/1.1',
    'GET /favicon.ico HTTP/1.1',
    'POST /sync?%zz=%zz HTTP/1.1',
    'POST /sync?__proto__[x]=1 HTTP/1.1',
  ])('%s is answered as JSON, without a stack or a path', async (start) => {
    const text = await send('syncScheduled', [line(start)], { settings, enough: answered });
    expect(statusOf(text)).toBeGreaterThanOrEqual(400);
    expect(text).toMatch(/Content-Type: application\/json/i);
    expect(text).toMatch(/X-Content-Type-Options: nosniff/i);
    expect(text).not.toMatch(/node_modules|\.js:| {4}at |etc|secret|favicon|%|<html/);
  });

  test.each([
    ['JSON that does not parse', "{'kennitala': '0101302989', 'name': 'Hanna'}", json],
    ['JSON in another charset', '{}', `${json}; charset=utf-32`],
    ['bytes', Buffer.from([0xff, 0xfe, 0x00]), json],
    ['a form', '%zz=%zz', 'Content-Type: application/x-www-form-urlencoded'],
  ])('%s is refused without a word of it', async (_name, body, type) => {
    const text = await send(
      'syncScheduled',
      [head(type, `Authorization: Bearer ${ADMIN_KEY}`, `Content-Length: ${body.length}`), body],
      { settings, enough: answered },
    );
    expect([400, 415]).toContain(statusOf(text));
    expect(text).not.toMatch(/Hanna|0101302989|SyntaxError| {4}at /);
  });
});

test('two requests in one piece are two answers', async () => {
  const one = `${head(json, 'Content-Length: 2')}{}`;
  const text = await send('syncStatus', [one + one], {
    enough: (seen) => seen.split('HTTP/1.1 401').length === 3,
  });
  expect(text.split('HTTP/1.1 401')).toHaveLength(3);
});

test.each([
  ['both kinds of length', 'Content-Length: 2\r\nTransfer-Encoding: chunked'],
  ['two lengths', 'Content-Length: 2\r\nContent-Length: 3'],
  ['a length with a sign', 'Content-Length: +2'],
  ['an unknown coding', 'Transfer-Encoding: xchunked'],
])('%s in one request is refused', async (_name, lines) => {
  const text = await send('syncStatus', [`${head(json, lines)}2\r\n{}\r\n0\r\n\r\n`]);
  expect(statusOf(text)).toBe(400);
});

test.each([
  ['a chunk of no length', `${head(json, 'Transfer-Encoding: chunked')}zz\r\n`, 400],
  ['a body that breaks off in a chunk', `${head('Transfer-Encoding: chunked')}5\r\n{}zz\r\n`, 400],
  ['no host', 'GET / HTTP/1.1\r\n\r\n', 400],
  ['no request', '\u0016\u0003\u0001 hello\r\n\r\n', 400],
  ['a tunnel', 'CONNECT f.example:1 HTTP/1.1\r\nHost: f.example\r\n\r\n', Number.NaN],
  ['headers without end', `${head(`X-Long: ${'x'.repeat(70_000)}`)}`, 431],
])('%s ends the connection, and not the instance', async (_name, bytes, status) => {
  const text = await send('syncStatus', [bytes]);
  expect(statusOf(text)).toBe(status);
  const next = await send('syncStatus', [head('Content-Length: 0')], { enough: answered });
  expect(statusOf(next)).toBe(401);
});

test.each([
  'Connection: Upgrade\r\nUpgrade: websocket',
  'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x',
  'If-None-Match: *',
  'Expect: 100-continue',
])('%s changes nothing', async (lines) => {
  const text = await send(
    'syncStatus',
    [head(lines, `Authorization: Bearer ${ADMIN_KEY}`, 'Content-Length: 0')],
    { enough: answered },
  );
  expect(text).toMatch(/HTTP\/1\.1 200 OK[\s\S]*"status":/);
});

test('a credential given twice, or hidden in another header, is none', async () => {
  const bearer = `Authorization: Bearer ${ADMIN_KEY}`;
  for (const lines of [
    `${bearer}\r\n${bearer}`,
    `${bearer}\r\nAuthorization: Bearer other`,
    `X-Forwarded-Authorization: Bearer ${ADMIN_KEY}`,
    `Proxy-Authorization: Bearer ${ADMIN_KEY}`,
    `X-Goog-Authenticated-User-Email: admin@x.is`,
  ]) {
    const text = await send('syncStatus', [head(lines, 'Content-Length: 0')], { enough: answered });
    expect([lines, statusOf(text)]).toEqual([lines, 401]);
  }
});

test('no asked-for undo becomes an ordinary run, whatever its body is called', async () => {
  const body = '{"undo":999}';
  for (const type of [
    'Content-Type: application/json, application/json',
    'Content-Type:',
    'Content-Type: */*',
    'Content-Type: application',
    'Content-Type: text/plain',
    'Content-Type: multipart/form-data',
    'Content-Type: application/x-www-form-urlencoded',
    'X-No: type',
  ]) {
    for (const lines of [
      [`Content-Length: ${body.length}`],
      ['Transfer-Encoding: chunked'],
      ['Transfer-Encoding: chunked', 'Trailer: x'],
    ]) {
      const sent = lines[0]?.startsWith('Transfer')
        ? Buffer.concat([chunk(body.slice(0, 5)), chunk(body.slice(5)), Buffer.from('0\r\n\r\n')])
        : body;
      const request = head(`Authorization: Bearer ${ADMIN_KEY}`, type, ...lines);
      const text = await send('syncScheduled', [request, sent], { enough: answered });
      expect([type, statusOf(text)]).toEqual([type, 404]);
    }
  }
});
