/** The longest Retry-After that a run waits for; one that asks for more fails at once. */
export const LONGEST_RETRY_AFTER_MS = 60_000;
/** The longest pause of our own between two attempts. */
const LONGEST_BACKOFF_MS = 30_000;

/**
 * How long to wait before the next attempt, in milliseconds: exponential with jitter, so that
 * parallel requests do not come back together; undefined when the register asked for longer than
 * a run waits. The backoff comes on top of Retry-After, because Django REST framework rounds that
 * down to whole seconds (`'%d' % wait` in views.py).
 */
export function retryWaitMs(attempt: {
  /** 1 after the first attempt failed. */
  number: number;
  retryAfterMs: number | undefined;
  baseMs: number;
  /** From 0 to 1. */
  random: number;
}): number | undefined {
  const { number, retryAfterMs = 0, baseMs, random } = attempt;
  if (retryAfterMs > LONGEST_RETRY_AFTER_MS) return undefined;
  const ceiling = Math.min(baseMs * 2 ** (number - 1), LONGEST_BACKOFF_MS);
  return Math.round(retryAfterMs + ceiling * (0.5 + random / 2));
}

/** A Retry-After header (seconds or an HTTP date) in milliseconds; undefined when it is neither. */
export function parseRetryAfter(value: string | undefined, now: Date): number | undefined {
  const text = value?.trim();
  if (!text) return undefined;
  if (/^[0-9]+(\.[0-9]+)?$/.test(text)) return Number(text) * 1000;
  // Date.parse also takes "-1", for a month of 2001; an HTTP date begins with its weekday.
  const time = /^[a-z]/i.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) ? undefined : Math.max(0, time - now.getTime());
}
