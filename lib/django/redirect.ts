import { DjangoHttpError } from './errors.ts';
import type { Reply } from './transport.ts';

/**
 * Where a reply redirects to; undefined where it does not. Only the path of its target is taken, the query stays ours.
 * Throws DjangoHttpError for another origin (http to https and another port are that too): the key must not go there, and
 * a request without it would get what strangers get.
 */
export function redirectTarget(
  reply: Pick<Reply, 'status' | 'header'>,
  from: URL,
): URL | undefined {
  if (![301, 302, 303, 307, 308].includes(reply.status)) return undefined;
  const location = reply.header('location');
  const target = location === undefined ? null : URL.parse(location, from.href);
  if (!target) {
    throw new DjangoHttpError(from.pathname, reply.status, {
      advice: 'It says no address to go to: check DJANGO_BASE_URL and DJANGO_MEMBERS_PATH.',
    });
  }
  if (target.origin !== from.origin) {
    throw new DjangoHttpError(from.pathname, reply.status, {
      advice:
        'It leads to another origin, which is not followed because it would see the key. Set DJANGO_BASE_URL to the scheme, host and port on which Django itself answers.',
      // Whatever the register says here is for the caller, and is neither logged nor stored.
      extra: { redirected_to: target.origin },
    });
  }
  const url = new URL(from);
  url.pathname = target.pathname;
  return url;
}

/** Whether two paths are one, but for a slash at the end. */
export const isSamePath = (one: string, other: string): boolean => bare(one) === bare(other);

// Django writes an address with fewer characters encoded than we do.
function bare(path: string): string {
  const plain = path.replace(/\/$/, '');
  try {
    return decodeURIComponent(plain);
  } catch {
    return plain;
  }
}
