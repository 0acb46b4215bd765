import type { Reply } from './transport.ts';

/** The Age from which a reply is old news. Caches before an API keep replies for a second or for minutes. */
const OLDEST_SECONDS = 60;
/** How far the clocks of two hosts of a register may be apart. */
const CLOCKS_APART_SECONDS = 300;

/** Whether a cache gave this reply, and it is old: members who have left may be in it, and others missing. */
export function isStale(reply: Reply): boolean {
  return ageOf(reply) > OLDEST_SECONDS || /^\s*11[0-3]\b/.test(reply.header('warning') ?? '');
}

// Seconds in a cache (RFC 9111, 5.1). Several caches in a row may each have written one: the oldest counts. Django's
// own cache writes none, but leaves the two that it made when it kept the reply (django.utils.cache): a time at which
// it expires, and how long after its making that is. Warnings 110 to 113 are those of a cache that knows it is old.
function ageOf(reply: Reply): number {
  const ages = (reply.header('age') ?? '').match(/\d+/g)?.map(Number) ?? [];
  const kept = keptFor(reply);
  // Two clocks made these times: those of the cache and of whoever sent the reply.
  if (kept > CLOCKS_APART_SECONDS) ages.push(kept);
  return Math.max(0, ...ages);
}

// Seconds since the reply was made, by the time at which it expires; 0 where that is not known.
function keptFor(reply: Reply): number {
  const lifetimes = [
    ...(reply.header('cache-control') ?? '').matchAll(/\bmax-age\s*=\s*"?(\d+)/gi),
  ];
  const [expires, sent] = [parseDate(reply.header('expires')), parseDate(reply.header('date'))];
  if (lifetimes.length !== 1 || !expires || !sent) return 0;
  const left = (expires.getTime() - sent.getTime()) / 1000;
  // One that has expired already says that it must not be kept, and no cache has.
  return left > 0 ? Number(lifetimes[0]?.[1]) - left : 0;
}

/** The time that a header names; undefined where it names none. */
export function parseDate(value: string | undefined): Date | undefined {
  const date = new Date(value ?? Number.NaN);
  return Number.isNaN(date.getTime()) ? undefined : date;
}
