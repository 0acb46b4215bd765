import { isUtf8 } from 'node:buffer';
import http from 'node:http';
import https from 'node:https';
import { pipeline, type Readable } from 'node:stream';
import { constants, createGunzip } from 'node:zlib';
import type { AxiosResponse, InternalAxiosRequestConfig } from 'axios';
import { DjangoError, DjangoNetworkError, DjangoShapeError } from './errors.ts';

/** One complete HTTP reply, whatever its status. */
export interface Reply {
  status: number;
  header(name: string): string | undefined;
  body: Buffer;
  durationMs: number;
}

/**
 * axios' adapter over node:http: one GET, its body in memory. `receive` sees each part of the body and says why no more is
 * taken. The library's own adapter makes several streams of every reply; without them a walk takes a quarter less of the
 * function's CPU (measured). Throws DjangoError.
 */
export function receiveReply(
  config: InternalAxiosRequestConfig,
  agent: http.Agent,
  receive: (chunk: Buffer) => DjangoError | undefined,
): Promise<AxiosResponse<Buffer>> {
  const url = new URL(config.url ?? '');
  const { get } = url.protocol === 'https:' ? https : http;
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) => {
      const { code, message } = error;
      const known = error instanceof DjangoError;
      reject(known ? error : new DjangoNetworkError(url.pathname, { code, message }));
      request.destroy();
    };
    const options = { agent, headers: config.headers.toJSON(), signal: config.signal };
    const request = get(url, options as http.RequestOptions, (response) => {
      const chunks: Buffer[] = [];
      decompressed(response, fail)
        .on('data', (chunk: Buffer) => {
          const problem = receive(chunk);
          if (problem) {
            fail(problem);
          } else chunks.push(chunk);
        })
        .on('error', fail)
        .on('end', () => {
          const { statusCode: status = 0, headers } = response;
          resolve({
            status,
            statusText: '',
            headers,
            data: Buffer.concat(chunks),
            config,
          } as AxiosResponse<Buffer>);
        });
    });
    request.on('error', fail);
    // A 101 that nobody asked for ends in no response and no error.
    request.on('upgrade', (_reply, socket) => {
      socket.destroy();
      fail(new Error('the reply switches to another protocol'));
    });
  });
}

// A gzip stream that ends early ends politely: the JSON in it is then cut off, which its reader notices.
function decompressed(response: http.IncomingMessage, fail: (error: Error) => void): Readable {
  if (response.headers['content-encoding']?.toLowerCase() !== 'gzip') return response;
  return pipeline(response, createGunzip({ finishFlush: constants.Z_SYNC_FLUSH }), (error) => {
    if (error) fail(error);
  });
}

/** A body from this size on is looked at before it is parsed. */
const LARGE_BODY = 1024 * 1024;
/** Fewer bytes a list or object than any record has. 40 MB of `{},` would fill 750 MB of the heap. */
const CROWDED = 10;
const OPEN_LIST = 0x5b;
const OPEN_OBJECT = 0x7b;
/** An error of the API is a sentence or two. */
const LONGEST_ERROR = 64 * 1024;

const mediaType = (reply: Reply) =>
  (reply.header('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';

function isJson(reply: Reply): boolean {
  return /^application\/([a-z0-9.+-]+\+)?json$/.test(mediaType(reply));
}

/**
 * The JSON of a reply 200, and whether it has bytes that are no UTF-8 (U+FFFD stands for them). Throws
 * DjangoShapeError when it is something else, since the browsable API and login pages answer HTML with
 * 200. JSON that does not parse was cut off on its way (a shortened gzip stream ends without an error),
 * so it is worth asking again.
 */
export function readJson(reply: Reply, path: string): { body: unknown; damaged: boolean } {
  if (!isJson(reply)) {
    const what = mediaType(reply).includes('html')
      ? 'an HTML page'
      : 'something that is not declared as JSON';
    throw new DjangoShapeError(
      path,
      `with ${what}. Check DJANGO_BASE_URL and DJANGO_MEMBERS_PATH, and that no login page or proxy answers instead of the API.`,
    );
  }
  if (isCrowded(reply.body)) {
    throw new DjangoShapeError(path, 'with far more lists and objects than a list of members has.');
  }
  try {
    return { body: JSON.parse(textOf(reply.body)), damaged: !isUtf8(reply.body) };
  } catch {
    // The parser's own message quotes the body.
    throw new DjangoShapeError(
      path,
      'with JSON that is cut off or malformed. If it stays so, look at the reply with curl.',
      { retryable: true },
    );
  }
}

/**
 * Whether an error is in the API's own words. Django REST framework says `{"detail": "…"}`, to which
 * handlers of projects add keys (its guide on exceptions). A gateway's JSON has other keys, or those of
 * RFC 9457, where `detail` stands beside `title`.
 */
export function isApiError(reply: Reply): boolean {
  if (mediaType(reply) !== 'application/json' || reply.body.length > LONGEST_ERROR) return false;
  try {
    const body: unknown = JSON.parse(textOf(reply.body));
    if (typeof body !== 'object' || body === null || Object.hasOwn(body, 'title')) return false;
    return (
      Object.hasOwn(body, 'detail') && typeof (body as { detail: unknown }).detail === 'string'
    );
  } catch {
    return false;
  }
}

// Some servers put a byte order mark in front, which is no part of the JSON (RFC 8259, 8.1).
function textOf(body: Buffer): string {
  const text = body.toString('utf8');
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

// Whether a large body has so many lists and objects that it would not fit in the heap when parsed.
function isCrowded(body: Buffer): boolean {
  if (body.length < LARGE_BODY) return false;
  let containers = 0;
  for (let index = 0; index < body.length; index += 1) {
    if (body[index] === OPEN_LIST || body[index] === OPEN_OBJECT) containers += 1;
  }
  return containers * CROWDED > body.length;
}

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
