import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cloudRun } from './gcloudFakeRun.ts';
import { project, secrets, stores } from './gcloudFakeStores.ts';
import {
  type Call,
  type CloudFake,
  type Json,
  problem,
  type Reply,
  type Route,
} from './gcloudFakeTypes.ts';

const reads = /:(getIamPolicy|access)$|^\/(token|run\/)|:generateUploadUrl$/;

/**
 * The Google APIs that deploy.sh uses, as far as the real gcloud looks at them: an in-memory store
 * per API that answers over HTTP on a free port. It keeps no more than what was sent to it.
 */
export async function startCloudFake(): Promise<CloudFake> {
  const fake: CloudFake = {
    url: '',
    calls: [],
    changes: () => fake.calls.filter(({ method, path }) => method !== 'GET' && !reads.test(path)),
    resources: new Map(),
    policies: new Map(),
    uploads: new Map(),
    answers: new Map(),
    running: new Map(),
    failing: undefined,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
  const routes = [...project(fake), ...secrets(fake), ...cloudRun(fake), ...stores(fake)];
  const server = createServer((request, response) => void respond(fake, routes, request, response));
  server.keepAliveTimeout = 1;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  fake.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return fake;
}

async function respond(
  fake: CloudFake,
  routes: Route[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const call = await read(request);
  fake.calls.push(call);
  const { status, body } = (await passOn(fake, call)) ?? answer(fake, routes, call);
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

// The front end of Cloud Run: nobody without an identity gets in, and a token loses its signature.
async function passOn({ running }: CloudFake, call: Call): Promise<Reply | undefined> {
  const [, name = ''] = /^\/run\/(\w+)$/.exec(call.path) ?? [];
  const target = running.get(name);
  if (!target) return undefined;
  const { authorization, 'user-agent': agent = '', 'content-type': type } = call.headers;
  if (!authorization && name !== 'health') return problem(403, 'PERMISSION_DENIED', 'no identity');
  const response = await fetch(target, {
    method: call.method,
    headers: {
      'user-agent': agent,
      ...(type ? { 'content-type': type } : {}),
      ...(authorization
        ? { authorization: authorization.replace(/[^.]*$/, 'SIGNATURE_REMOVED_BY_GOOGLE') }
        : {}),
    },
    ...(call.method === 'GET' ? {} : { body: new Uint8Array(call.raw) }),
  });
  return { status: response.status, body: await response.json() };
}

function answer(fake: CloudFake, routes: Route[], call: Call): Reply {
  if (fake.failing?.test(`${call.method} ${call.path}`)) {
    return problem(403, 'PERMISSION_DENIED', 'the fake was told to fail');
  }
  for (const [method, path, handler] of routes) {
    const match = method === call.method ? path.exec(call.path) : null;
    if (!match) continue;
    const result = handler(call, ...match.slice(1));
    if (!result) break;
    return isReply(result) ? result : { status: 200, body: result };
  }
  return problem(404, 'NOT_FOUND', `${call.method} ${call.path} is not there`);
}

const isReply = (result: Json | Reply): result is Reply =>
  typeof result['status'] === 'number' && 'body' in result;

async function read(request: IncomingMessage): Promise<Call> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const raw = Buffer.concat(chunks);
  // `gcloud run` reaches us as its proxy, with the whole URL in the request line.
  const url = new URL(String(request.url).replace(/^http:\/\/[^/]+/, ''), 'http://fake');
  let body: Json = {};
  try {
    body = JSON.parse(raw.toString());
  } catch {
    // A zip, or nothing.
  }
  return {
    method: request.method ?? '',
    path: decodeURIComponent(url.pathname),
    query: url.searchParams,
    body,
    raw,
    headers: request.headers,
  };
}
