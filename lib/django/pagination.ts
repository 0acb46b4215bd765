import { DjangoShapeError } from './errors.ts';
import type { MembersPage, Pagination } from './types.ts';

/** More pages than any register needs: 100,000 pages of 100 are ten million members. */
export const MOST_PAGES = 100_000;
const offsetName = /offset|start|skip/i;
const pageName = /page(?!.?size)|^p$/i;

/** How the rest of a list can be asked for, recognised from its first page. */
export interface ListShape {
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
  { rows: length, count }: Pick<MembersPage, 'rows' | 'count'>,
  next: URLSearchParams | undefined,
  path: string,
): ListShape {
  if (!next) return sequential('single-page');
  const moving = [...next];
  const whole = moving.filter(([, value]) => isWhole(value));
  if (moving.some(([name]) => /cursor/i.test(name))) return sequential('cursor');
  if (whole.length < moving.length) return sequential(kindByName(whole));

  const offset = offsetParameter(moving, length);
  const pagination = offset !== undefined || moving.length > 1 ? 'limit-offset' : 'page-number';
  const pages = count === undefined ? 0 : Math.ceil(count / length);
  if (pages > MOST_PAGES) {
    throw new DjangoShapeError(
      path,
      `with a count of ${count} rows at ${length} a page, more than ${MOST_PAGES} pages. Check the count, or raise DJANGO_PAGE_SIZE or the max_page_size in Django.`,
    );
  }
  const parameter = offset ?? pageParameter(moving, length);
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

// On the second page the limit equals the offset, and after=10 may mean the row with that id. Only its
// name shows an offset.
function offsetParameter(moving: [string, string][], length: number): string | undefined {
  if (moving.length > 2) return undefined;
  return moving.find(([name, value]) => offsetName.test(name) && value === String(length))?.[0];
}

// After one or two rows a 2 may also be the id of the last row.
function pageParameter(moving: [string, string][], length: number): string | undefined {
  const [[name, value] = ['', ''], ...others] = moving;
  const isPage = value === '2' && (length > 2 || pageName.test(name));
  return isPage && others.length === 0 ? name : undefined;
}

// Beside a text that may be a cursor, or a constant that the server adds, only the name decides.
function kindByName(whole: [string, string][]): Pagination {
  if (whole.some(([name]) => offsetName.test(name))) return 'limit-offset';
  return whole.some(([name]) => pageName.test(name)) ? 'page-number' : 'cursor';
}

function sequential(pagination: Pagination): ListShape {
  return { pagination, pages: undefined, queryOf: () => new URLSearchParams() };
}

function isWhole(value: string): boolean {
  return /^[0-9]{1,15}$/.test(value);
}
