import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { loadConfig } from '../../../lib/config.ts';
import {
  createDjangoClient,
  type DjangoClient,
  type DjangoClientOptions,
} from '../../../lib/django/client.ts';
import type { MembersPage } from '../../../lib/django/types.ts';
import { createLog, type LogFields } from '../../../lib/log.ts';
import { fixedCredential } from '../../../lib/secrets.ts';

// What the tests of the Django client share. Servers and clients are closed after each test.

const servers: Server[] = [];
const clients: DjangoClient[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await Promise.all(
    servers.splice(0).map((server) => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    }),
  );
});

/** A real server on a free port of the loopback address; gives its origin. */
export async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export const KEY = 'test-key-0123456789';

interface ClientSetup extends Partial<DjangoClientOptions> {
  env?: Record<string, string>;
}

/** A client whose pauses are short, and the log events that it writes. */
export function clientFor(baseUrl: string, { env = {}, ...options }: ClientSetup = {}) {
  const events: LogFields[] = [];
  const config = loadConfig({ DJANGO_BASE_URL: baseUrl, DJANGO_API_KEY: KEY, ...env }, ['django']);
  const client = createDjangoClient(config.django, {
    key: fixedCredential(KEY),
    log: createLog('DEBUG', (line) => events.push(JSON.parse(line))),
    backoffBaseMs: 1,
    ...options,
  });
  clients.push(client);
  return { client, events };
}

/** A generated member: the kennitala belongs to nobody, since its day is 00. */
export function person(id: number) {
  return {
    id,
    kennitala: `00${String(id).padStart(8, '0')}`,
    name: `Prófa ${id}`,
    email: `m${id}@example.is`,
    phone: '5550000',
    is_active: true,
    deleted_at: null,
  };
}

export const people = (count: number) => Array.from({ length: count }, (_, i) => person(i + 1));

export async function collect(pages: AsyncIterable<MembersPage>): Promise<MembersPage[]> {
  const all: MembersPage[] = [];
  for await (const page of pages) all.push(page);
  return all;
}

/** The Django ids in a walk, in the order of the pages. */
export function idsOf(pages: MembersPage[]): number[] {
  return pages
    .toSorted((a, b) => a.index - b.index)
    .flatMap((page) => page.members.map((member) => Number(member.externalId)));
}

/** Counts requests that are answered at the same time, and holds each back until so many have met. */
export function meeting(size: number) {
  const met = Promise.withResolvers<void>();
  let running = 0;
  const meter = {
    most: 0,
    hold: async () => {
      running += 1;
      meter.most = Math.max(meter.most, running);
      if (running === size) met.resolve();
      await met.promise;
      // One too many would come by now.
      await delay(2);
      running -= 1;
    },
  };
  return meter;
}

/** Resolves when what a client was about to send has had every chance to arrive: others have come and gone. */
export async function roundTrips(): Promise<void> {
  const origin = await serve((_request, response) => json(response, {}));
  for (let trip = 0; trip < 5; trip++) await fetch(origin).then((reply) => reply.text());
}

/** Answers JSON through a node:http response. */
export function json(response: Parameters<RequestListener>[1], body: unknown, status = 200): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}

export function queryOf(request: IncomingMessage): URLSearchParams {
  return new URL(request.url ?? '/', 'http://register.test').searchParams;
}

export type Kind = 'page-number' | 'limit-offset' | 'cursor';

/**
 * One page as Django REST framework answers it. Its links are http:// with an internal host, as
 * behind a TLS proxy, and it cuts page_size to `most` without a word.
 */
export function pageOf(kind: Kind, rows: unknown[], query: URLSearchParams, most = 10): unknown {
  const size = Math.min(Number(query.get('page_size') ?? most), most);
  const start =
    kind === 'page-number'
      ? (Number(query.get('page') ?? 1) - 1) * size
      : kind === 'limit-offset'
        ? Number(query.get('offset') ?? 0)
        : Number(atob(query.get('cursor') ?? btoa('p=0')).slice(2));
  const results = rows.slice(start, start + size);
  const following = new URLSearchParams(query);
  if (kind === 'page-number') {
    following.set('page', String(start / size + 2));
  } else if (kind === 'cursor') {
    following.set('cursor', btoa(`p=${start + size}`));
  } else {
    following.set('limit', String(size));
    following.set('offset', String(start + size));
  }
  const more = start + size < rows.length;
  const next = more ? `http://internal.invalid:8000/elsewhere/?${following}` : null;
  return { ...(kind !== 'cursor' && { count: rows.length }), next, previous: null, results };
}
