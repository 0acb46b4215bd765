import { isUtf8 } from 'node:buffer';
import { DjangoShapeError } from './errors.ts';
import type { Reply } from './transport.ts';

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
