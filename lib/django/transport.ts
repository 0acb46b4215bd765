import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Config } from '../config.ts';
import { SyncError } from '../errors.ts';
import {
  DjangoHttpError,
  DjangoNetworkError,
  DjangoShapeError,
  DjangoTimeoutError,
} from './errors.ts';

const MOST_REDIRECTS = 3;
/**
 * The largest body accepted, after decompression. 500 members are about 200 KiB; a register that
 * is one single page of 100,000 members is about 40 MiB.
 */
const LARGEST_BODY_BYTES = 64 * 1024 * 1024;

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
}

/** One complete HTTP reply, whatever its status. */
export interface Reply {
  status: number;
  header(name: string): string | undefined;
  body: Buffer;
  durationMs: number;
}

export interface Transport {
  /** One attempt, without a key where it is undefined. */
  get(to: Destination, key: string | undefined): Promise<Reply>;
  /** Closes idle connections. */
  close(): void;
}

/**
 * GET requests to one origin, over connections that are kept. Redirects are followed there (a missing
 * trailing slash) with the key, and a path that was redirected is asked for directly from then on. Uses
 * no proxy, so the key goes only where the URL says. Throws the errors of errors.ts, `django_unauthorized`
 * for a key that fits in no header, and the signal's reason when it aborts.
 */
export function createTransport(origin: string, config: Config['django']): Transport {
  const { DJANGO_TIMEOUT_MS: timeoutMs, DJANGO_CONCURRENCY: maxSockets } = config;
  const httpAgent = new HttpAgent({ keepAlive: true, maxSockets });
  const httpsAgent = new HttpsAgent({ keepAlive: true, maxSockets });
  const moved = new Map<string, string>();

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
    // The library's own timeout is one of silence: a body that drips never meets it.
    const timer = setTimeout(() => {
      timedOut = true;
      stop.abort();
    }, timeoutMs);
    signal.addEventListener('abort', onAbort, { once: true });
    const startedAt = performance.now();
    try {
      const response = await axios.request<Buffer>({
        url: url.href,
        method: 'GET',
        headers,
        responseType: 'arraybuffer',
        transformResponse: (body: unknown) => body,
        validateStatus: () => true,
        maxRedirects: 0,
        maxContentLength: LARGEST_BODY_BYTES,
        proxy: false,
        signal: stop.signal,
        httpAgent,
        httpsAgent,
      });
      return {
        status: response.status,
        header: (name) => {
          const value: unknown = response.headers[name];
          return typeof value === 'string' ? value : undefined;
        },
        body: response.data,
        durationMs: Math.round(performance.now() - startedAt),
      };
    } catch (error) {
      signal.throwIfAborted();
      if (timedOut) throw new DjangoTimeoutError(url.pathname, timeoutMs);
      if (!axios.isAxiosError(error)) throw error;
      if (error.message.startsWith('maxContentLength')) {
        throw new DjangoShapeError(
          url.pathname,
          `with more than ${LARGEST_BODY_BYTES} bytes. Lower DJANGO_PAGE_SIZE, or paginate the list in Django.`,
        );
      }
      throw new DjangoNetworkError(url.pathname, { code: error.code, message: error.message });
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
  }

  return {
    async get({ path, query, signal }, key) {
      const headers: Record<string, string> = {
        // Anything that lists text/html first gets the browsable API.
        Accept: 'application/json',
        'User-Agent': 'membership-sync',
      };
      if (key !== undefined) {
        headers['Authorization'] = authorization(config.DJANGO_AUTH_SCHEME, key);
      }
      let url = new URL(origin);
      url.pathname = moved.get(path) ?? path;
      url.search = query.toString();
      for (let redirects = 0; ; redirects += 1) {
        const reply = await getOnce(url, headers, signal);
        const target = redirectTarget(reply, url);
        if (!target) {
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
      httpAgent.destroy();
      httpsAgent.destroy();
    },
  };
}

/**
 * The Authorization header for a key. White space around it is no part of it, since a secret made with
 * `echo` ends in a newline. Throws SyncError `django_unauthorized` for a key that fits in no header.
 */
export function authorization(scheme: string, key: string): string {
  const value = key.trim();
  if (!/^[\x20-\x7e]+$/.test(value)) {
    throw new SyncError(
      'django_unauthorized',
      'DJANGO_API_KEY is empty or has characters that no HTTP header can carry: check the value or the secret that it refers to.',
    );
  }
  return `${scheme} ${value}`;
}

// Where a reply redirects to. Only the path of its target is taken, the query stays ours. Another origin
// (http to https and another port are that too) is an error: the key must not go there, and a request
// without it would get what strangers get.
function redirectTarget(reply: Reply, from: URL): URL | undefined {
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
