import { isUtf8 } from 'node:buffer';
import { DjangoShapeError } from './errors.ts';
import type { Answer } from './exchange.ts';
import { parseJson } from './parseJson.ts';

const mediaType = (answer: Answer) =>
  (answer.header('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';

/** Whether an answer declares JSON: application/json or a type that ends in +json. */
export function isJson(answer: Answer): boolean {
  return /^application\/([a-z0-9.+-]+\+)?json$/.test(mediaType(answer));
}

/**
 * The JSON of an answer 200. Throws DjangoShapeError when it is something else: the browsable API
 * and login pages answer HTML with 200. JSON that does not parse counts as cut off on its way
 * (a shortened gzip stream ends without an error), so that one may be asked again; so does text
 * that is not UTF-8, which would otherwise change names silently.
 */
export function readJson(answer: Answer, path: string): unknown {
  if (!isJson(answer)) {
    const what = mediaType(answer).includes('html')
      ? 'an HTML page'
      : 'something that is not declared as JSON';
    throw new DjangoShapeError(
      path,
      `with ${what}. Check DJANGO_BASE_URL and DJANGO_MEMBERS_PATH, and that no login page or proxy answers instead of the API.`,
    );
  }
  try {
    // Checked apart: a decoder that checks takes twice as long as these two together (measured).
    if (!isUtf8(answer.body)) throw new SyntaxError('not UTF-8');
    return parseJson(answer.body);
  } catch {
    // The parser's own message quotes the body.
    throw new DjangoShapeError(
      path,
      'with JSON that is cut off or malformed. If it stays so, look at the answer with curl.',
      { retryable: true },
    );
  }
}
