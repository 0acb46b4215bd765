import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tooEarly } from './gcloudFakeOrder.ts';
import { proxyKeys } from './gcloudFakeProxy.ts';
import { cloudRun } from './gcloudFakeRun.ts';
import { project, secrets, stores } from './gcloudFakeStores.ts';
import {
  type Call,
  type CloudFake,
  type Json,
  problem,
  type Reply,
  type Route,
  SIGNATURE,
} from './gcloudFakeTypes.ts';

const reads = /:(getIamPolicy|access)$|^\/(token|run\/|UPLOAD)|:generateUploadUrl$/;

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
    refusals: [],
    strict: false,
    lag: 0,
    seen: new Map(),
    forgets: new Set(),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
  const routes = [
    ...proxyKeys,
    ...project(fake),
    ...secrets(fake),
    ...cloudRun(fake),
    ...stores(fake),
  ];
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
  const text = typeof body === 'string';
  response.writeHead(status, { 'content-type': text ? 'text/html' : 'application/json' });
  response.end(text ? body : JSON.stringify(body));
}

// The front end of Cloud Run: nobody gets in whose identity nobody has signed, unless IAM lets the whole
// world in; and a token loses its signature.
async function passOn(fake: CloudFake, call: Call): Promise<Reply | undefined> {
  const [, name = ''] = /^\/run\/(\w+)$/.exec(call.path) ?? [];
  if (!name) return undefined;
  const { authorization, 'user-agent': agent = '', 'content-type': type } = call.headers;
  if (!isOpen(fake, name)) {
    if (!authorization) return { status: 403, body: '<html>Your client does not have permission' };
    if (!authorization.endsWith(SIGNATURE)) return { status: 401, body: '<html>Unauthorized' };
  }
  const target = fake.running.get(name);
  if (!target) return undefined;
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

const isOpen = ({ policies }: CloudFake, name: string) =>
  [...policies]
    .filter(([resource]) => resource.endsWith(`/services/${name.toLowerCase()}`))
    .flatMap(([, bindings]) => bindings)
    .some(({ role, members }) => role === 'roles/run.invoker' && members.includes('allUsers'));

function answer(fake: CloudFake, routes: Route[], call: Call): Reply {
  const refusal = fake.refusals.find(({ match }) => match.test(`${call.method} ${call.path}`));
  if (refusal) {
    refusal.times = (refusal.times ?? Number.POSITIVE_INFINITY) - 1;
    if (refusal.times <= 0) fake.refusals.splice(fake.refusals.indexOf(refusal), 1);
    return problem(refusal.status, statusNames[refusal.status] ?? 'UNKNOWN', refusal.message);
  }
  const early = fake.strict ? tooEarly(fake, call) : undefined;
  if (early) return early;
  for (const [method, path, handler] of routes) {
    const match = method === call.method ? path.exec(call.path) : null;
    if (!match) continue;
    const result = handler(call, ...match.slice(1));
    if (!result) break;
    return isReply(result) ? result : { status: 200, body: result };
  }
  return problem(404, 'NOT_FOUND', `${call.method} ${call.path} is not there`);
}

const statusNames: Record<number, string> = {
  400: 'INVALID_ARGUMENT',
  403: 'PERMISSION_DENIED',
  409: 'ALREADY_EXISTS',
  429: 'RESOURCE_EXHAUSTED',
  503: 'UNAVAILABLE',
};

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
