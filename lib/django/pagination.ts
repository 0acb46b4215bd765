import type { Envelope } from './envelope.ts';
import { DjangoShapeError } from './errors.ts';
import type { Pagination } from './types.ts';

/** More pages than any register needs: 100,000 pages of 100 are ten million members. */
export const MOST_PAGES = 100_000;

/** How to walk the rest of a list, recognised from its first page. */
export interface Route {
  pagination: Pagination;
  /** Pages in all where they can be asked for by number; undefined: follow `next` one by one. */
  pages: number | undefined;
  /** The query of a page by its position from 0; only where `pages` is known. */
  queryOf(index: number): URLSearchParams;
}

/**
 * Recognises the kind of pagination from the first page. `next` is what its link adds to the query
 * that we sent ourselves. Pages are asked for by number only where that is certain: the count is
 * known and the one parameter that moves is a page number or the offset of the second page.
 * Only an opaque parameter is a cursor: cursors promise that no row is missed, which a number of
 * unknown meaning does not. Throws DjangoShapeError for a count that would need absurdly many pages.
 */
export function recognisePagination(
  { rows, count }: Envelope,
  next: URLSearchParams | undefined,
  path: string,
): Route {
  if (!next) return sequential('single-page');
  const length = rows.length;
  const moving = [...next];
  const opaque = moving.some(([name, value]) => !isWhole(value) || /cursor/i.test(name));
  if (opaque) return sequential('cursor');

  const offset = offsetParameter(moving, length);
  const pagination = offset !== undefined || moving.length > 1 ? 'limit-offset' : 'page-number';
  const pages = count === undefined ? 0 : Math.ceil(count / length);
  if (pages > MOST_PAGES) {
    throw new DjangoShapeError(
      path,
      `with a count of ${count} rows at ${length} a page, more than ${MOST_PAGES} pages. Check the count, or raise DJANGO_PAGE_SIZE or the max_page_size in Django.`,
    );
  }
  const page = moving.length === 1 && moving[0]?.[1] === '2' ? moving[0][0] : undefined;
  const parameter = offset ?? page;
  if (parameter === undefined || pages < 2) return sequential(pagination);
  return {
    pagination,
    pages,
    queryOf(index) {
      const query = new URLSearchParams(next);
      query.set(parameter, String(offset === undefined ? index + 1 : index * length));
      return query;
    },
  };
}

// The second page starts at the length of the first. On it the limit has that value too, then only
// the name tells which is which. A page of two rows makes offset=2 look like page=2.
function offsetParameter(moving: [string, string][], length: number): string | undefined {
  if (moving.length > 2) return undefined;
  const candidates = moving.filter(([, value]) => value === String(length));
  const named = candidates.find(([name]) => /offset|start|skip/i.test(name));
  if (named) return named[0];
  const [only, ...others] = candidates;
  return only && others.length === 0 && only[1] !== '2' ? only[0] : undefined;
}

function sequential(pagination: Pagination): Route {
  return { pagination, pages: undefined, queryOf: () => new URLSearchParams() };
}

function isWhole(value: string): boolean {
  return /^[0-9]{1,15}$/.test(value);
}
