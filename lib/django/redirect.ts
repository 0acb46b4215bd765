import { DjangoHttpError } from './errors.ts';
import type { Answer } from './exchange.ts';

/**
 * Where an answer redirects to, or undefined when it does not. Only its path is taken, the query
 * stays ours. Throws DjangoHttpError for another origin (http to https and another port are that
 * too): the key must not go there, and a request without it would be answered as to a stranger.
 */
export function redirectTarget(answer: Answer, from: URL): URL | undefined {
  if (![301, 302, 303, 307, 308].includes(answer.status)) return undefined;
  const location = answer.header('location');
  const target = location === undefined ? null : URL.parse(location, from.href);
  if (!target) {
    throw new DjangoHttpError(from.pathname, answer.status, {
      advice: 'It says no address to go to: check DJANGO_BASE_URL and DJANGO_MEMBERS_PATH.',
    });
  }
  if (target.origin !== from.origin) {
    throw new DjangoHttpError(from.pathname, answer.status, {
      advice: `It leads to another origin (${target.origin}), which is not followed because it would see the key. Set DJANGO_BASE_URL to the scheme, host and port on which Django itself answers.`,
    });
  }
  const url = new URL(from);
  url.pathname = target.pathname;
  return url;
}
