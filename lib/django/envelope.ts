import { DjangoShapeError } from './errors.ts';

/** What surrounds the rows of one page. */
export interface Envelope {
  rows: unknown[];
  /** The register's count of all rows; undefined where it gives none. */
  count: number | undefined;
  /** The link to the next page as the register wrote it; undefined on the last page. */
  next: string | undefined;
}

/**
 * Reads a page: a bare array, `{"results": […]}` or `{"members": […]}`, with `count` and `next` or a
 * nested `links.next` where the list is paginated (Django REST framework, "Custom pagination
 * styles"). Throws DjangoShapeError for anything else: a link or a count that cannot be understood
 * must not pass for the end of the list.
 */
export function readEnvelope(body: unknown, path: string): Envelope {
  if (Array.isArray(body)) return { rows: body, count: undefined, next: undefined };
  const rows = own(body, 'results') ?? own(body, 'members');
  if (!Array.isArray(rows)) {
    throw new DjangoShapeError(
      path,
      'with JSON that is no list of members (an array, or an array under "results" or "members"). Check DJANGO_MEMBERS_PATH.',
    );
  }
  const count = own(body, 'count') ?? undefined;
  if (count !== undefined && !(Number.isSafeInteger(count) && Number(count) >= 0)) {
    throw new DjangoShapeError(path, 'with a "count" that is no whole number.');
  }
  const next = own(body, 'next') ?? own(own(body, 'links'), 'next') ?? undefined;
  if (next !== undefined && typeof next !== 'string') {
    throw new DjangoShapeError(path, 'with a "next" that is no link.');
  }
  return { rows, count: count as number | undefined, next: next || undefined };
}

function own(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
}
