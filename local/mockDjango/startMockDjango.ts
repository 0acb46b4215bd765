import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { applyFault, type Misbehaviour, pickFault } from './misbehave.ts';
import { generatePeople } from './people.ts';
import { createRegister, type Register } from './register.ts';
import { respond } from './respond.ts';
import type { Behaviour, MockDjangoOptions, Reply, SeenRequest } from './types.ts';

export interface MockDjango {
  /** What DJANGO_BASE_URL is set to. */
  url: string;
  /** The register, to be changed at any time. */
  members: Register;
  /** The settings in force, to be changed at any time. */
  behaviour: Behaviour;
  /** Every request since the start or since clear(), oldest first. */
  requests: SeenRequest[];
  /** Adds a fault and returns a function that ends it. A request meets the oldest fault that fits it. */
  misbehave(rule: Misbehaviour): () => void;
  /** Ends every fault and forgets the requests seen. */
  clear(): void;
  stop(): Promise<void>;
}

/**
 * Starts a member register that replies as Django REST framework does: paging slides when rows change,
 * anonymous calls are no errors, and a missing slash is a redirect. It misbehaves on demand.
 */
export async function startMockDjango(options: MockDjangoOptions = {}): Promise<MockDjango> {
  const { members = 35, port = 0, path = '/api/members/', ...changes } = options;
  const behaviour = { ...normalBehaviour(), ...changes };
  const people = typeof members === 'number' ? generatePeople(members) : members;
  const register = createRegister(people, () => behaviour.now());
  const requests: SeenRequest[] = [];
  const rules: Misbehaviour[] = [];
  let arrived = 0;
  let concurrent = 0;

  const handle = async (message: IncomingMessage, response: ServerResponse) => {
    const url = new URL(message.url ?? '/', `http://${message.headers.host}`);
    concurrent += 1;
    arrived += 1;
    response.once('close', () => {
      concurrent -= 1;
    });
    const request: SeenRequest = {
      n: arrived,
      method: message.method ?? '',
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: message.headers,
      concurrent,
      status: 0,
    };
    requests.push(request);
    message.resume();
    await behaviour.onRequest(request, request.n);
    if (behaviour.latencyMs > 0) await sleep(behaviour.latencyMs);
    const right = respond(request, url, path, register, behaviour);
    const fault = pickFault(rules, request);
    const answer = fault ? await applyFault(fault, right, request, response) : right;
    if (answer) send(answer, request, response, behaviour);
  };

  const server = createServer((message, response) => {
    handle(message, response).catch((error) => response.destroy(error));
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The mock has no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    members: register,
    behaviour,
    requests,
    misbehave: (rule) => {
      const own = { ...rule };
      rules.push(own);
      return () => {
        rules.splice(rules.indexOf(own), rules.includes(own) ? 1 : 0);
      };
    },
    clear: () => {
      rules.length = 0;
      requests.length = 0;
    },
    stop: async () => {
      if (!server.listening) return;
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function normalBehaviour(): Behaviour {
  return {
    key: 'mock-django-key',
    scheme: 'Bearer',
    anonymous: 401,
    pagination: 'page-number',
    nestedLinks: false,
    pageSize: 100,
    maxPageSize: 500,
    nextOrigin: '',
    modifiedParam: '',
    shape: 'plain',
    detail: true,
    unlisted: new Set(),
    trailingSlash: true,
    latencyMs: 0,
    now: () => new Date(),
    onRequest: () => undefined,
  };
}

function send(answer: Reply, request: SeenRequest, response: ServerResponse, { now }: Behaviour) {
  const body = Buffer.from(answer.body, answer.encoding ?? 'utf8');
  request.status = answer.status;
  response.writeHead(answer.status, {
    Date: now().toUTCString(),
    Server: 'mock-django',
    ...answer.headers,
    'Content-Length': body.length,
  });
  response.end(body);
}
