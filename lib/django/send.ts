import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Config } from '../config.ts';
import { authorization } from './authorization.ts';
import { DjangoHttpError } from './errors.ts';
import { type Answer, exchange } from './exchange.ts';
import { redirectTarget } from './redirect.ts';

const MOST_REDIRECTS = 3;

export interface Destination {
  path: string;
  query: URLSearchParams;
  signal: AbortSignal;
}

export interface Sender {
  /** One attempt, without a key where it is undefined. */
  send(to: Destination, key: string | undefined): Promise<Answer>;
  /** Closes idle connections. */
  close(): void;
}

/**
 * Sends GET requests to one origin, over connections that are kept, and follows redirects there
 * (a missing trailing slash) with the key. A path that was redirected is asked for directly from
 * then on. Throws the errors of exchange and redirectTarget.
 */
export function createSender(origin: string, config: Config['django']): Sender {
  const { DJANGO_TIMEOUT_MS: timeoutMs, DJANGO_CONCURRENCY: maxSockets } = config;
  const httpAgent = new HttpAgent({ keepAlive: true, maxSockets });
  const httpsAgent = new HttpsAgent({ keepAlive: true, maxSockets });
  const moved = new Map<string, string>();

  return {
    async send({ path, query, signal }, key) {
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
        const answer = await exchange(url, headers, { timeoutMs, signal, httpAgent, httpsAgent });
        const target = redirectTarget(answer, url);
        if (!target) {
          if (answer.status === 200 && redirects > 0) moved.set(path, url.pathname);
          return answer;
        }
        if (redirects === MOST_REDIRECTS) {
          throw new DjangoHttpError(path, answer.status, {
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
