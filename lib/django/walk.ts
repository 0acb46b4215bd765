import { pMapIterable } from 'p-map';
import { DjangoHttpError, DjangoListChangedError, DjangoShapeError } from './errors.ts';
import { type ReceivedPage, readPageBody, type WalkedPage } from './page.ts';
import { type ListShape, MOST_PAGES, recognisePagination } from './pagination.ts';
import type { JsonReply } from './request.ts';
import type { Pagination } from './types.ts';

export interface WalkOptions {
  /** The path of the list, for messages. */
  path: string;
  /** Sent with every request, whatever a `next` link says. */
  ownQuery: [string, string][];
  concurrency: number;
  signal: AbortSignal;
  get(query: URLSearchParams): Promise<JsonReply>;
}

/**
 * Walks the list from its first page to its last. Pages that can be asked for by number come in
 * parallel and in any order. The others come one after the other, the next one on its way while the
 * consumer has the current. Throws DjangoListChangedError where the list moved under the walk, and
 * DjangoShapeError for links that repeat or never end. Whether every row came is for the caller
 * to judge, from the counts in the pages.
 */
export async function* walkPages(walk: WalkOptions): AsyncGenerator<WalkedPage> {
  const reader = createPageReader(walk);
  const first = await reader.fetch(0, new URLSearchParams());
  const shape = recognisePagination(first.body, first.next, walk.path);
  const { pagination, pages } = shape;
  if (pages === undefined) {
    const total = pagination === 'single-page' ? 1 : undefined;
    for await (const page of oneByOne(walk, reader, first, pagination, MOST_PAGES)) {
      yield { ...page, pagination, pagesTotal: total };
    }
    return;
  }
  const last = yield* inParallel(walk, reader, first, shape, pages);
  if (!last.next) return;
  // The list has grown since it was counted: a little is normal, twice the count is not.
  const most = Math.min(MOST_PAGES, 2 * pages + 100);
  const next = await reader.follow(last);
  for await (const page of oneByOne(walk, reader, next, pagination, most)) {
    yield { ...page, pagination, pagesTotal: page.index + (page.next ? 2 : 1) };
  }
}

// Pages that wait for the consumer count as running, so memory holds no more than `concurrency` of both.
async function* inParallel(
  walk: WalkOptions,
  reader: PageReader,
  first: ReceivedPage,
  shape: ListShape,
  pages: number,
): AsyncGenerator<WalkedPage, ReceivedPage> {
  const arriving = pMapIterable(
    Array(pages).keys(),
    async (index) => (index === 0 ? first : reader.fetch(index, shape.queryOf(index))),
    { concurrency: walk.concurrency, preserveOrder: false },
  );
  let last = first;
  for await (const page of arriving) {
    refuseEmpty(walk, page);
    if (page.index === pages - 1) {
      last = page;
    } else if (!page.next) {
      throw new DjangoListChangedError(
        walk.path,
        `page ${page.index + 1} of ${pages} says that it is the last`,
      );
    }
    yield { ...page, pagination: shape.pagination, pagesTotal: pages };
    walk.signal.throwIfAborted();
  }
  return last;
}

async function* oneByOne(
  walk: WalkOptions,
  reader: PageReader,
  start: ReceivedPage,
  pagination: Pagination,
  most: number,
): AsyncGenerator<ReceivedPage> {
  for (let page = start; ; ) {
    // The rows behind a cursor may go without harm: an empty last page ends such a list cleanly.
    if (pagination !== 'cursor' || page.next) refuseEmpty(walk, page);
    if (page.index >= most) {
      throw new DjangoShapeError(walk.path, `with a "next" link on each of ${most} pages.`);
    }
    const upcoming = page.next && reader.follow(page);
    // A failure is thrown below, after the consumer is done with this page.
    upcoming?.catch(() => {});
    yield page;
    walk.signal.throwIfAborted();
    if (!upcoming) return;
    page = await upcoming;
  }
}

function refuseEmpty(walk: WalkOptions, { index, body }: ReceivedPage): void {
  if (index > 0 && body.rows.length === 0) {
    throw new DjangoListChangedError(walk.path, `page ${index + 1} is empty`);
  }
}

interface PageReader {
  /** A page by its position and the query that leads to it. */
  fetch(index: number, query: URLSearchParams): Promise<ReceivedPage>;
  /** The page that a next link leads to. */
  follow(page: ReceivedPage): Promise<ReceivedPage>;
}

// Fetches the pages of one walk and remembers where it has been: no page is asked for twice.
function createPageReader(walk: WalkOptions): PageReader {
  const visited = new Set<string>();

  async function fetch(index: number, query: URLSearchParams): Promise<ReceivedPage> {
    visit(query);
    const reply = await ask(index, query);
    const body = readPageBody(reply.body, walk.path);
    const next = body.next === undefined ? undefined : added(body.next);
    if (body.rows.length === 0 && next && index === 0) {
      throw new DjangoShapeError(walk.path, 'with an empty first page that has a "next" link.');
    }
    return { index, body, next, reply };
  }

  async function ask(index: number, query: URLSearchParams): Promise<JsonReply> {
    try {
      return await walk.get(new URLSearchParams([...query, ...walk.ownQuery]));
    } catch (error) {
      // "Invalid page." and "Invalid cursor": rows went, and with them the page. It is not the end
      // of the list, since rows have then moved over the page boundaries that were already passed.
      if (index > 0 && error instanceof DjangoHttpError && error.status === 404) {
        throw new DjangoListChangedError(walk.path, `page ${index + 1} is gone`);
      }
      throw error;
    }
  }

  // Proxies put their own scheme, host and path into the link: only its query is used. Where it
  // repeats a parameter that we send ourselves, ours stands.
  function added(link: string): URLSearchParams {
    const url = URL.parse(link, 'http://register.invalid/');
    if (!url) throw new DjangoShapeError(walk.path, 'with a "next" that is no link.');
    const query = url.searchParams;
    for (const [name] of walk.ownQuery) query.delete(name);
    return query;
  }

  function visit(query: URLSearchParams): void {
    const sorted = new URLSearchParams(query);
    sorted.sort();
    const key = sorted.toString();
    if (visited.has(key)) {
      throw new DjangoShapeError(walk.path, 'with a "next" link to a page that was read before.');
    }
    visited.add(key);
  }

  return {
    fetch,
    follow: (page) => fetch(page.index + 1, page.next ?? new URLSearchParams()),
  };
}
