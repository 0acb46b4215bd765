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

/** What a page of the list says of the rest of it, in its body or its headers. */
export interface WhatFollows {
  /** The register's count of all rows; undefined where it gives none. */
  count: number | undefined;
  /** The link to the next page as the register wrote it; undefined on the last page. */
  next: string | undefined;
  /** Whether it says at all if a page follows. */
  saysNext: boolean;
}

/** Headers that speak of a list. */
export interface ListHeaders {
  /** RFC 8288: links with rel="next". */
  link?: string | undefined;
  /** The count of all rows, as in X-Total-Count. */
  total?: string | undefined;
}

// What paginators of others than Django REST framework call these.
const totalName = /^(total|(total|item)_?(count|items|results|records|rows|members))$/i;
const nextName = /^(next|next_?(page|url|link|href)(_?url)?)$/i;
const moreFlagName = /^has_?(next|more)(_?page)?$/i;
// What says that more follows, and not where.
const moreName = /^next_?(page_?)?(token|cursor|offset|start)$/i;
const pagesName = /^((total|num|last)_?pages?|page_?count|pages)$/i;
const pageNumberName = /^(page|current(_?page)?|page_?(number|no))$/i;
// Where they stand, but for the top.
const envelopeName = /^(_?links|_?meta|metadata|pagination|paging|paginator|page_?info)$/i;

type Said = [name: string, value: unknown];

/**
 * Reads what follows a page. `count` and `next` (or `links.next`) of Django REST framework decide where they are there.
 * Else it goes by the names of other paginators, and by the headers. Throws DjangoShapeError where more follows in a
 * way that cannot be asked for: that must not pass for the end of the list.
 */
export function readWhatFollows(body: unknown, headers: ListHeaders, path: string): WhatFollows {
  const count = ownCount(body, path);
  const given = own(body, 'next') ?? own(own(body, 'links'), 'next');
  if (given === undefined && own(body, 'next') === undefined) {
    return { ...readOthers(body, headers, path), ...(count === undefined ? {} : { count }) };
  }
  const next = linkOf(given) || undefined;
  if (next === undefined && given) {
    throw new DjangoShapeError(path, 'with a "next" that is no link.');
  }
  return { count, next, saysNext: true };
}

function ownCount(body: unknown, path: string): number | undefined {
  const count = own(body, 'count') ?? undefined;
  if (count === undefined || isCount(count)) return count;
  throw new DjangoShapeError(path, 'with a "count" that is no whole number.');
}

const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Number(value) >= 0;

function readOthers(body: unknown, { link, total: counted }: ListHeaders, path: string) {
  const said = fieldsOf(body);
  const links = said.filter(([name]) => nextName.test(name));
  const linked = links.map(([, value]) => linkOf(value)).find((value) => value);
  const next = linked ?? nextOf(link);
  if (next === undefined) refuseMore(said, path);
  const inBody = said.find(([name, value]) => totalName.test(name) && isCount(value))?.[1];
  const inHeader = /^\d{1,15}$/.test(counted ?? '') ? Number(counted) : undefined;
  const count = isCount(inBody) ? inBody : inHeader;
  // A list of links and a header say it of the last page by saying nothing.
  const saysNext = links.length > 0 || said.some(([name]) => moreFlagName.test(name));
  return { count, next, saysNext };
}

// The fields at the top, and those of the envelopes.
function fieldsOf(body: unknown): Said[] {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return [];
  return Object.entries(body).flatMap(([name, value]): Said[] => {
    if (!envelopeName.test(name) || typeof value !== 'object' || value === null) {
      return [[name, value]];
    }
    return Array.isArray(value) ? value.flatMap(linkWithRel) : Object.entries(value);
  });
}

// A link of a JSON list, which has a rel as one of a header has: only the next one says something.
function linkWithRel(link: unknown): Said[] {
  return own(link, 'rel') === 'next' && linkOf(link) ? [['next', linkOf(link)]] : [];
}

// HAL and JSON:API write a link as an object.
function linkOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return [own(value, 'href'), own(value, 'url')].find((each) => typeof each === 'string') as
    | string
    | undefined;
}

// RFC 8288: "<target>; rel=next", several of them between commas, which may be in a title as well.
function nextOf(header: string | undefined): string | undefined {
  for (const link of (header ?? '').split(/,(?=\s*<)/)) {
    const [, target] = /^\s*<([^>]*)>/.exec(link) ?? [];
    const [, double, single, bare] =
      /;\s*rel\s*=\s*(?:"([^"]*)"|'([^']*)'|([^;\s]+))/i.exec(link) ?? [];
    const rels = (double ?? single ?? bare ?? '').toLowerCase().split(/\s+/);
    if (target !== undefined && rels.includes('next')) return target;
  }
  return undefined;
}

const isEmpty = (value: unknown) =>
  [null, undefined, false, '', 0, 'false'].includes(value as null);

// A field that could lead on, and is neither empty nor understood.
function refuseMore(said: Said[], path: string): void {
  const flags = said.filter(([name]) => moreFlagName.test(name));
  const isEnd = flags.length > 0 && flags.every(([, value]) => isEmpty(value));
  if (isEnd) return;
  const isNumbered = said.some(([name]) => pageNumberName.test(name));
  const found = said.find(
    ([name, value]) =>
      ([moreFlagName, nextName, moreName].some((form) => form.test(name)) && !isEmpty(value)) ||
      (pagesName.test(name) && isNumbered && Number(value) > 1),
  );
  if (!found) return;
  throw new DjangoShapeError(
    path,
    `with a list of which more follows ("${found[0]}"), and no link to it. Let it have a "next" link, as the paginators of Django REST framework write it.`,
  );
}

/** The value of a key that an object itself has; undefined for anything else. */
export function own(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
}
