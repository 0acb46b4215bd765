import { readId, readPath } from './fields.ts';

/**
 * Whether a cursor link shows that the list is in the order of its ids. The cursor of Django REST
 * framework is base64 of a query string whose `p` is the ordering value of the last row of the page
 * (pagination.py, CursorPagination.encode_cursor and get_next_link): ids do not change, so no row can
 * slide past a walk in their order, as one can where the ordering is a name or a time of change. The last
 * page, which has no next link, contradicts nothing.
 */
export function isOrderedById(
  next: URLSearchParams | undefined,
  lastRow: unknown,
  idPath: readonly string[],
): boolean {
  if (!next) return true;
  const cursor = next.get('cursor');
  if (!cursor) return false;
  const position = new URLSearchParams(Buffer.from(cursor, 'base64').toString('latin1')).get('p');
  return position !== null && position === readId(readPath(lastRow, idPath));
}
