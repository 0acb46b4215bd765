import type { Agent as HttpAgent } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';
import { DjangoNetworkError, DjangoShapeError, DjangoTimeoutError } from './errors.ts';
import { throwIfInterrupted } from './interruption.ts';

/**
 * The largest body accepted, after decompression. 500 members are about 200 KiB; a register that
 * is one single page of 100,000 members is about 40 MiB.
 */
const LARGEST_BODY_BYTES = 64 * 1024 * 1024;

// Loaded on first use: a function that never calls Django does not pay for it at its cold start. And once:
// a bundle's import() copies the module's properties each time.
let library: Promise<typeof import('axios')> | undefined;
function loadAxios(): Promise<typeof import('axios')> {
  library ??= import('axios');
  return library;
}

export interface ExchangeOptions {
  timeoutMs: number;
  signal: AbortSignal;
  httpAgent: HttpAgent;
  httpsAgent: HttpsAgent;
}

/** One complete HTTP answer, whatever its status. */
export interface Answer {
  status: number;
  header(name: string): string | undefined;
  body: Buffer;
  durationMs: number;
}

/**
 * One GET, read to its end. Follows no redirect and uses no proxy, so the headers go only where
 * the URL says. Throws DjangoNetworkError, DjangoTimeoutError, or DjangoShapeError for a body that
 * is too large; the interruption when the signal aborts.
 */
export async function exchange(
  url: URL,
  headers: Record<string, string>,
  { timeoutMs, signal, httpAgent, httpsAgent }: ExchangeOptions,
): Promise<Answer> {
  const { default: axios } = await loadAxios();
  throwIfInterrupted(signal);
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
    throwIfInterrupted(signal);
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
