import { setTimeout as delay } from 'node:timers/promises';
import pLimit from 'p-limit';
import pRetry from 'p-retry';
import type { Config } from '../config.ts';
import type { Log } from '../log.ts';
import { type Credential, withRenewal } from '../secrets.ts';
import { DjangoError, DjangoHttpError } from './errors.ts';
import { isJson, readJson } from './json.ts';
import { parseRetryAfter, retryWaitMs } from './retryTiming.ts';
import { createTransport, type Destination } from './transport.ts';

const FIRST_BACKOFF_MS = 500;

export interface RequestOptions {
  key: Credential;
  log: Log;
  /** The first pause between two attempts; tests make it short. */
  backoffBaseMs?: number;
}

/** The JSON of a reply 200, and how it came. */
export interface JsonReply {
  body: unknown;
  /** The register's clock when it replied; undefined without a valid Date header. */
  serverDate: Date | undefined;
  retries: number;
  /** Of the attempt that succeeded, in milliseconds. */
  durationMs: number;
}

export interface Ask extends Destination {
  /** Sends no key, to see whether the register refuses strangers. */
  anonymous?: boolean;
}

export interface Requests {
  getJson(ask: Ask): Promise<JsonReply>;
  /** Closes idle connections. */
  close(): void;
}

/**
 * GET requests to the one origin that may see the key: at most DJANGO_CONCURRENCY at once, and one at a
 * time once the register has throttled us, since parallel retries starve each other. Each is retried
 * as the errors say. Throws the errors of errors.ts, and the signal's reason when it aborts.
 */
export function createRequests(
  origin: string,
  config: Config['django'],
  { key, log, backoffBaseMs = FIRST_BACKOFF_MS }: RequestOptions,
): Requests {
  const transport = createTransport(origin, config);
  const limit = pLimit(config.DJANGO_CONCURRENCY);

  async function attempt(ask: Ask): Promise<Omit<JsonReply, 'retries'>> {
    const reply = ask.anonymous
      ? await transport.get(ask, undefined)
      : await withRenewal(key, (value) => transport.get(ask, value), {
          returned: ({ status }) => status === 401 || status === 403,
        });
    const serverDate = parseDate(reply.header('date'));
    if (reply.status !== 200) {
      const waits = reply.status === 429 || reply.status === 503;
      const header = waits ? reply.header('retry-after') : undefined;
      const retryAfterMs = parseRetryAfter(header, serverDate ?? new Date());
      throw new DjangoHttpError(ask.path, reply.status, { retryAfterMs, isJson: isJson(reply) });
    }
    return { body: readJson(reply, ask.path), serverDate, durationMs: reply.durationMs };
  }

  // Pauses where another attempt may help. Asked only while retries are left.
  async function pause(error: unknown, attempts: number, ask: Ask): Promise<boolean> {
    if (!(error instanceof DjangoError) || !error.retryable) return false;
    const { status, retryAfterMs } =
      error instanceof DjangoHttpError ? error : { status: undefined, retryAfterMs: undefined };
    if (status === 429) limit.concurrency = 1;
    const waitMs = retryWaitMs({
      number: attempts,
      retryAfterMs,
      baseMs: backoffBaseMs,
      random: Math.random(),
    });
    if (waitMs === undefined) return false;
    log('WARNING', 'django_retry', `GET ${ask.path} is asked again in ${waitMs} ms`, {
      path: ask.path,
      failure: error.name,
      status,
      attempt: attempts,
      attempts: config.DJANGO_MAX_RETRIES + 1,
      wait_ms: waitMs,
    });
    await delay(waitMs, undefined, { signal: ask.signal });
    return true;
  }

  async function withRetries(ask: Ask): Promise<JsonReply> {
    let attempts = 0;
    try {
      const reply = await pRetry(
        () => {
          attempts += 1;
          return attempt(ask);
        },
        {
          retries: config.DJANGO_MAX_RETRIES,
          minTimeout: 0,
          shouldRetry: ({ error }) => pause(error, attempts, ask),
        },
      );
      return { ...reply, retries: attempts - 1 };
    } catch (error) {
      // A pause that is aborted throws an error of its own.
      ask.signal.throwIfAborted();
      throw error;
    }
  }

  return {
    getJson: (ask) => limit(() => withRetries(ask)),
    close: transport.close,
  };
}

function parseDate(value: string | undefined): Date | undefined {
  const date = new Date(value ?? Number.NaN);
  return Number.isNaN(date.getTime()) ? undefined : date;
}
