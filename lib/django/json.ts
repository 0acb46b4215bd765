import { isUtf8 } from 'node:buffer';
import { DjangoShapeError } from './errors.ts';
import type { Reply } from './transport.ts';

const mediaType = (reply: Reply) =>
  (reply.header('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';

/** Whether a reply declares JSON: application/json or a type that ends in +json. */
export function isJson(reply: Reply): boolean {
  return /^application\/([a-z0-9.+-]+\+)?json$/.test(mediaType(reply));
}

/**
 * The JSON of a reply 200. Throws DjangoShapeError when it is something else, since the browsable API
 * and login pages answer HTML with 200. JSON that does not parse was cut off on its way (a shortened
 * gzip stream ends without an error), so it is worth asking again. So is text that is not UTF-8, which
 * would otherwise change names silently.
 */
export function readJson(reply: Reply, path: string): unknown {
  if (!isJson(reply)) {
    const what = mediaType(reply).includes('html')
      ? 'an HTML page'
      : 'something that is not declared as JSON';
    throw new DjangoShapeError(
      path,
      `with ${what}. Check DJANGO_BASE_URL and DJANGO_MEMBERS_PATH, and that no login page or proxy answers instead of the API.`,
    );
  }
  try {
    // Checked apart: a decoder that checks takes twice as long as these two together (measured).
    if (!isUtf8(reply.body)) throw new SyntaxError('not UTF-8');
    return JSON.parse(reply.body.toString('utf8'));
  } catch {
    // The parser's own message quotes the body.
    throw new DjangoShapeError(
      path,
      'with JSON that is cut off or malformed. If it stays so, look at the reply with curl.',
      { retryable: true },
    );
  }
}
