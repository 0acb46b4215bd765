import http from 'node:http';
import https from 'node:https';
import { getHeapStatistics } from 'node:v8';
import type { Config } from '../config.ts';
import { DjangoHttpError, DjangoShapeError, DjangoTimeoutError } from './errors.ts';
import { type Reply, receiveReply } from './reply.ts';

const MOST_REDIRECTS = 3;
const MEBIBYTE = 1024 * 1024;

/**
 * How many bytes of bodies may be on their way at once, after decompression: an eighth of what the heap may
 * have, 35 MiB where the function has 512 MiB. A byte of JSON becomes up to eight of memory (the body, its
 * text, its values, the members; measured: 450 MiB for one page of 41 MiB). 500 members are about 200 KiB, and
 * a register that is one single page of 100,000 members is 20 to 40 MiB.
 */
export const BODY_BYTES_AT_ONCE = Math.min(
  64 * MEBIBYTE,
  Math.floor(getHeapStatistics().heap_size_limit / 8),
);

// Loaded on first use, since a function that never calls Django must not pay for it at its cold start.
// And loaded once: a bundle's import() copies the module's properties each time.
let library: Promise<typeof import('axios')> | undefined;
function loadAxios(): Promise<typeof import('axios')> {
  library ??= import('axios');
  return library;
}

export interface Destination {
  path: string;
  query: URLSearchParams;
  signal: AbortSignal;
  /** Follows a redirect only to this path with or without its slash; any other redirect is the reply. */
  stays?: boolean;
}

export interface Transport {
  /** One attempt. Without an Authorization header where it is undefined. */
  get(to: Destination, authorization: string | undefined): Promise<Reply>;
  /** Closes idle connections. */
  close(): void;
}

/**
 * GET requests to one origin, over connections that are kept. Redirects are followed there (a missing
 * trailing slash) with the key, and a path that was redirected is asked for directly from then on. Uses
 * no proxy, so the key goes only where the URL says. Asks for fresh replies: an old one would bring members
 * back or take them away. Throws the errors of errors.ts, and the signal's reason when it aborts.
 */
export function createTransport(origin: string, config: Config['django']): Transport {
  const { DJANGO_TIMEOUT_MS: timeoutMs, DJANGO_CONCURRENCY: maxSockets } = config;
  const agent = new (origin.startsWith('https:') ? https : http).Agent({
    keepAlive: true,
    maxSockets,
  });
  const moved = new Map<string, string>();
  let bytesOnTheirWay = 0;

  async function getOnce(
    url: URL,
    headers: Record<string, string>,
    signal: AbortSignal,
  ): Promise<Reply> {
    const { default: axios } = await loadAxios();
    signal.throwIfAborted();
    const stop = new AbortController();
    const onAbort = () => stop.abort();
    let timedOut = false;
    // Of the whole reply: a body that drips never meets a timeout of silence.
    const timer = setTimeout(() => {
      timedOut = true;
      stop.abort();
    }, timeoutMs);
    signal.addEventListener('abort', onAbort, { once: true });
    let bytes = 0;
    const receive = (chunk: Buffer) => {
      bytes += chunk.length;
      bytesOnTheirWay += chunk.length;
      return bytesOnTheirWay <= BODY_BYTES_AT_ONCE ? undefined : tooLarge(url.pathname);
    };
    const startedAt = performance.now();
    try {
      const reply = await axios.request<Buffer>({
        url: url.href,
        headers,
        transformResponse: [],
        signal: stop.signal,
        adapter: (request) => receiveReply(request, agent, receive),
      });
      return {
        status: reply.status,
        header: (name) => {
          const value: unknown = reply.headers[name];
          return typeof value === 'string' ? value : undefined;
        },
        body: reply.data,
        durationMs: Math.round(performance.now() - startedAt),
      };
    } catch (error) {
      signal.throwIfAborted();
      if (timedOut) throw new DjangoTimeoutError(url.pathname, timeoutMs);
      throw error;
    } finally {
      bytesOnTheirWay -= bytes;
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
  }

  return {
    async get({ path, query, signal, stays }, authorization) {
      const headers: Record<string, string> = {
        // Anything that lists text/html first gets the browsable API.
        Accept: 'application/json',
        'Accept-Encoding': 'gzip',
        'Cache-Control': 'no-cache',
        'User-Agent': 'membership-sync',
      };
      if (authorization !== undefined) headers['Authorization'] = authorization;
      let url = new URL(origin);
      url.pathname = moved.get(path) ?? path;
      url.search = query.toString();
      for (let redirects = 0; ; redirects += 1) {
        const reply = await getOnce(url, headers, signal);
        const target = redirectTarget(reply, url);
        if (!target || (stays && !isSamePath(target.pathname, path))) {
          if (reply.status === 200 && redirects > 0) moved.set(path, url.pathname);
          return reply;
        }
        if (redirects === MOST_REDIRECTS) {
          throw new DjangoHttpError(path, reply.status, {
            advice: `It redirects more than ${MOST_REDIRECTS} times: check DJANGO_BASE_URL and DJANGO_MEMBERS_PATH.`,
          });
        }
        url = target;
      }
    },
    close() {
      agent.destroy();
    },
  };
}

function tooLarge(path: string): DjangoShapeError {
  const mebibytes = Math.floor(BODY_BYTES_AT_ONCE / MEBIBYTE);
  return new DjangoShapeError(
    path,
    `with more than ${mebibytes} MiB at once, which do not fit in memory. Lower DJANGO_PAGE_SIZE (or paginate the list in Django), or give the function more memory.`,
  );
}

// Where a reply redirects to; undefined where it does not. Only the path of its target is taken, the query stays ours.
// Throws DjangoHttpError for another origin (http to https and another port are that too): the key must not go there, and
// a request without it would get what strangers get.
function redirectTarget(reply: Pick<Reply, 'status' | 'header'>, from: URL): URL | undefined {
  if (![301, 302, 303, 307, 308].includes(reply.status)) return undefined;
  const location = reply.header('location');
  const target = location === undefined ? null : URL.parse(location, from.href);
  if (!target) {
    throw new DjangoHttpError(from.pathname, reply.status, {
      advice: 'It says no address to go to: check DJANGO_BASE_URL and DJANGO_MEMBERS_PATH.',
    });
  }
  if (target.origin !== from.origin) {
    throw new DjangoHttpError(from.pathname, reply.status, {
      advice:
        'It leads to another origin, which is not followed because it would see the key. Set DJANGO_BASE_URL to the scheme, host and port on which Django itself answers.',
      // Whatever the register says here is for the caller, and is neither logged nor stored.
      extra: { redirected_to: target.origin },
    });
  }
  const url = new URL(from);
  url.pathname = target.pathname;
  return url;
}

// Whether two paths are one, but for a slash at the end.
const isSamePath = (one: string, other: string): boolean => bare(one) === bare(other);

// Django writes an address with fewer characters encoded than we do.
function bare(path: string): string {
  const plain = path.replace(/\/$/, '');
  try {
    return decodeURIComponent(plain);
  } catch {
    return plain;
  }
}
