import type { IncomingMessage } from 'node:http';
import type { Request } from '@google-cloud/functions-framework';
import { SyncError } from '../errors.ts';

/** Where a function answers, and by which methods. */
export interface Route {
  name: string;
  /** Its path locally and behind a gateway; `/` and `/<name>` always work too. */
  path: string;
  methods: readonly string[];
}

/** The routes of all functions: what they accept, what is served locally, and what openapi.json says. */
export const routes = {
  syncScheduled: { name: 'syncScheduled', path: '/sync', methods: ['POST'] },
  syncDryRun: { name: 'syncDryRun', path: '/sync/dry-run', methods: ['POST'] },
  syncStatus: { name: 'syncStatus', path: '/sync/status', methods: ['GET', 'POST'] },
  syncLogs: { name: 'syncLogs', path: '/sync/logs', methods: ['GET', 'POST'] },
  syncAdmin: { name: 'syncAdmin', path: '/admin', methods: ['GET', 'POST'] },
  health: { name: 'health', path: '/health', methods: ['GET'] },
} as const satisfies Record<string, Route>;

/** No request of ours needs more. */
const LARGEST_BODY = 64 * 1024;
/** How long a body may take to arrive, in ms. */
const SLOWEST_BODY_MS = 10_000;

// A request keeps what the framework is not shown under this key. Tests load this module several times.
const arrival: unique symbol = Symbol.for('membership-sync.arrival') as never;

/** What a request said of itself when it arrived. */
interface Arrival {
  path: string;
  /** What Content-Length says; 0 without it. */
  length: number;
}
interface Arrived {
  [arrival]?: Arrival;
}

/**
 * Hides body and path of a request from the functions framework; checkRequest and readBody see them all the same. Express
 * would read and inflate a body of any size before a function sees the request, and answer what it cannot parse with HTML.
 */
export function hideFromFramework(request: Arrived & IncomingMessage): void {
  if (arrival in request) return;
  request[arrival] = arrivalOf(request);
  const { url = '/', headers } = request;
  // By these two Express knows that there is a body. Node.js itself does not look at them again.
  delete headers['content-length'];
  delete headers['transfer-encoding'];
  request.url = `/${/\?.*/s.exec(url)?.[0] ?? ''}`;
}

const arrivalOf = ({
  url = '/',
  headers,
  ...rest
}: Arrived & Pick<IncomingMessage, 'url' | 'headers'>) =>
  rest[arrival] ?? { path: pathOf(url), length: Number(headers['content-length'] ?? 0) };

// A proxy may ask for a whole URL.
const pathOf = (url: string) =>
  url.startsWith('/') ? url.replace(/\?.*/s, '') : (URL.parse(url)?.pathname ?? url);

/**
 * Refuses what is not for this function, or comes from a page of another site. No credential has been looked
 * at yet. Throws SyncError not_found, method_not_allowed, payload_too_large, unsupported_media_type or
 * forbidden.
 */
export function checkRequest(
  request: Pick<Request, 'url' | 'method' | 'headers'>,
  { name, path, methods }: Route,
): void {
  const arrived = arrivalOf(request);
  if (!['', `/${name}`, path].includes(arrived.path.replace(/\/$/, ''))) {
    throw new SyncError('not_found', `There is nothing at this path; ask for ${path}.`);
  }
  if (!methods.includes(request.method)) {
    throw new SyncError('method_not_allowed', `Use ${methods.join(' or ')}.`);
  }
  if (arrived.length > LARGEST_BODY) throw tooLarge();
  checkEncoding(request.headers);
  if (request.method !== 'GET' && isCrossSite(request.headers)) {
    throw new SyncError('forbidden', 'A page of another site may not call this function.');
  }
}

const tooLarge = () =>
  new SyncError('payload_too_large', `The body may have at most ${LARGEST_BODY} bytes.`);

type Headers = IncomingMessage['headers'];

// A compressed body can be a thousand times as large as it says.
function checkEncoding(headers: Headers): void {
  const encoding = headers['content-encoding'] ?? 'identity';
  const [, charset = 'utf-8'] =
    /charset\s*=\s*"?([^\s";,]+)/i.exec(headers['content-type'] ?? '') ?? [];
  if (!/^identity$/i.test(encoding) || !/^(utf-?8|us-ascii)$/i.test(charset)) {
    throw new SyncError(
      'unsupported_media_type',
      'Send the body as it is: no Content-Encoding, and UTF-8.',
    );
  }
}

// What a browser says of the page that makes it call: the page itself cannot change these headers.
function isCrossSite({ origin, host, ...headers }: Headers): boolean {
  const site = headers['sec-fetch-site'] ?? 'none';
  // A page that sends no referrer sends no origin with its forms either.
  const isHidden = origin === 'null' && site === 'same-origin';
  const isForeign =
    origin !== undefined && !isHidden && URL.parse(origin)?.host !== host?.toLowerCase();
  return isForeign || !(site === 'same-origin' || site === 'none');
}

/**
 * Reads the body. Throws SyncError payload_too_large, request_timeout when it takes too long, and
 * invalid_request when it does not come to its end.
 */
export async function readBody(request: Request, slowestMs = SLOWEST_BODY_MS): Promise<Buffer> {
  // Read by the framework, should Node.js one day not announce requests any more.
  if (request.rawBody) return limited(request.rawBody);
  const { promise: expired, reject } = Promise.withResolvers<never>();
  const slow = new SyncError(
    'request_timeout',
    `The body did not arrive within ${slowestMs / 1000} seconds.`,
  );
  const timer = setTimeout(() => reject(slow), slowestMs);
  return Promise.race([collect(request), expired]).finally(() => clearTimeout(timer));
}

function limited(body: Buffer): Buffer {
  if (body.length > LARGEST_BODY) throw tooLarge();
  return body;
}

async function collect(request: Request): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    // The answer still has to go out on this connection.
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      chunks.push(chunk as Buffer);
      size += (chunk as Buffer).length;
      if (size > LARGEST_BODY) break;
    }
  } catch (cause) {
    throw new SyncError('invalid_request', 'The body ended too early.', { cause });
  }
  return limited(Buffer.concat(chunks));
}
