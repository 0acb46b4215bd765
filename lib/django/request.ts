import { setTimeout as delay } from 'node:timers/promises';
import pRetry from 'p-retry';
import type { Config } from '../config.ts';
import type { Log } from '../log.ts';
import type { Credential } from '../secrets.ts';
import { DjangoError, DjangoHttpError } from './errors.ts';
import { untilInterrupted } from './interruption.ts';
import { isJson, readJson } from './json.ts';
import { createLimiter } from './limiter.ts';
import { parseRetryAfter, retryWaitMs } from './retryTiming.ts';
import { createSender, type Destination } from './send.ts';

const FIRST_BACKOFF_MS = 500;

export interface RequestOptions {
  key: Credential;
  log: Log;
  /** The first pause between two attempts; tests make it short. */
  backoffBaseMs?: number;
}

/** The JSON of an answer 200, and how it came. */
export interface JsonAnswer {
  body: unknown;
  /** The register's clock when it answered; undefined without a valid Date header. */
  serverDate: Date | undefined;
  retries: number;
  /** Of the attempt that succeeded, in milliseconds. */
  durationMs: number;
}

export interface Ask extends Destination {
  /** Sends no key: to see whether the register refuses strangers. */
  anonymous?: boolean;
}

export interface Requests {
  getJson(ask: Ask): Promise<JsonAnswer>;
  /** Closes idle connections. */
  close(): void;
}

/**
 * GET requests to the one origin that may see the key: at most DJANGO_CONCURRENCY at once, each
 * retried as the errors say, redirects followed on that origin only. Throws the errors of errors.ts.
 */
export function createRequests(
  origin: string,
  config: Config['django'],
  { key, log, backoffBaseMs = FIRST_BACKOFF_MS }: RequestOptions,
): Requests {
  const { send, close } = createSender(origin, config);
  const limiter = createLimiter(config.DJANGO_CONCURRENCY);
  let renewal: Promise<string | undefined> | undefined;

  // Parallel requests that are refused together share one renewal; one that comes later finds the
  // key already renewed.
  async function renew(refused: string): Promise<string | undefined> {
    const current = await key.get();
    if (current !== refused) return current;
    renewal ??= key.refresh().finally(() => {
      renewal = undefined;
    });
    return renewal;
  }

  async function attempt(ask: Ask): Promise<Omit<JsonAnswer, 'retries'>> {
    const secret = ask.anonymous ? undefined : await key.get();
    let answer = await send(ask, secret);
    if (secret !== undefined && (answer.status === 401 || answer.status === 403)) {
      const renewed = await renew(secret);
      if (renewed !== undefined) answer = await send(ask, renewed);
    }
    const serverDate = parseDate(answer.header('date'));
    if (answer.status !== 200) {
      const waits = answer.status === 429 || answer.status === 503;
      const header = waits ? answer.header('retry-after') : undefined;
      const retryAfterMs = parseRetryAfter(header, serverDate ?? new Date());
      throw new DjangoHttpError(ask.path, answer.status, { retryAfterMs, isJson: isJson(answer) });
    }
    return { body: readJson(answer, ask.path), serverDate, durationMs: answer.durationMs };
  }

  async function withRetries(ask: Ask): Promise<JsonAnswer> {
    let retries = 0;
    const answer = await pRetry(() => attempt(ask), {
      retries: config.DJANGO_MAX_RETRIES,
      minTimeout: 0,
      signal: ask.signal,
      // Asked only while retries are left. The pause is made here, since it depends on the answer.
      shouldRetry: async ({ error, attemptNumber }) => {
        if (!(error instanceof DjangoError) || !error.retryable) return false;
        const status = error instanceof DjangoHttpError ? error.status : undefined;
        if (status === 429) limiter.narrow();
        const waitMs = retryWaitMs({
          number: attemptNumber,
          retryAfterMs: error instanceof DjangoHttpError ? error.retryAfterMs : undefined,
          baseMs: backoffBaseMs,
          random: Math.random(),
        });
        if (waitMs === undefined) return false;
        log('WARNING', 'django_retry', `GET ${ask.path} is asked again in ${waitMs} ms`, {
          path: ask.path,
          failure: error.name,
          status,
          attempt: attemptNumber,
          attempts: config.DJANGO_MAX_RETRIES + 1,
          wait_ms: waitMs,
        });
        await delay(waitMs, undefined, { signal: ask.signal });
        retries += 1;
        return true;
      },
    });
    return { ...answer, retries };
  }

  return {
    getJson: (ask) =>
      untilInterrupted(
        limiter.run(() => withRetries(ask)),
        ask.signal,
      ),
    close,
  };
}

function parseDate(value: string | undefined): Date | undefined {
  const date = new Date(value ?? Number.NaN);
  return Number.isNaN(date.getTime()) ? undefined : date;
}
