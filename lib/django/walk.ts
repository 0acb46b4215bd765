import { pMapIterable } from 'p-map';
import {
  DjangoError,
  DjangoHttpError,
  DjangoListChangedError,
  DjangoShapeError,
} from './errors.ts';
import { namesOf, parsePage, type ReceivedPage, readPageBody } from './page.ts';
import { type ListShape, MOST_PAGES, recognisePagination } from './pagination.ts';
import type { RecordRules } from './record.ts';
import type { JsonReply } from './request.ts';
import { BODY_BYTES_AT_ONCE } from './transport.ts';
import type { MembersPage } from './types.ts';

/** Rows that a paginator gives by itself. A list of fewer is whole, and so is one of more. */
const PAGE = { least: 10, most: 1_000 };

export interface WalkOptions {
  /** The path of the list, for messages. */
  path: string;
  /** Sent with every request, whatever a `next` link says. */
  ownQuery: [string, string][];
  concurrency: number;
  signal: AbortSignal;
  get(query: URLSearchParams): Promise<JsonReply>;
  /** How its records are read. */
  rules(reply: JsonReply): RecordRules;
}

/**
 * Walks the list from its first page to its last. Pages that can be asked for by number come in
 * parallel and in any order. The others come one after the other, the next one on its way while the
 * consumer has the current. Throws DjangoListChangedError where the list moved under the walk, and
 * DjangoShapeError for links that repeat or never end. Whether every row came is for the caller
 * to judge, from the counts in the pages.
 */
export async function* walkPages(walk: WalkOptions): AsyncGenerator<MembersPage> {
  const reader = createPageReader(walk);
  const first = await reader.first();
  const shape = recognisePagination(first, first.next, walk.path);
  const { pagination, pages } = shape;
  if (pages === undefined) {
    const isSingle = pagination === 'single-page';
    const total = isSingle ? 1 : undefined;
    const isOpen = isSingle && (await goesOn(walk, first));
    for await (const page of oneByOne(walk, reader, first, MOST_PAGES)) {
      yield { ...page, pagination, pagesTotal: total, isOpen };
    }
    return;
  }
  const last = yield* inParallel(walk, reader, first, shape, pages);
  if (!last.next) return;
  // The list has grown since it was counted: a little is normal, twice the count is not.
  const most = Math.min(MOST_PAGES, 2 * pages + 100);
  const next = await reader.follow(last);
  for await (const page of oneByOne(walk, reader, next, most)) {
    yield { ...page, pagination, pagesTotal: page.index + (page.next ? 2 : 1), isOpen: false };
  }
}

// A list that says nothing of its end may be a first page: one behind it that names somebody else shows that. Many
// registers show the whole list whatever they are asked, in any order, or have no second page.
async function goesOn(walk: WalkOptions, first: ReceivedPage): Promise<boolean> {
  const says = first.saysNext || first.count !== undefined;
  if (says || first.rows < PAGE.least || first.rows > PAGE.most) return false;
  const second = await askBehind(walk, first);
  if (!second) return false;
  const [known, others] = [namesOf(first), namesOf(second)];
  return others.nameless > known.nameless || [...others.ids].some((id) => !known.ids.has(id));
}

async function askBehind(
  walk: WalkOptions,
  first: ReceivedPage,
): Promise<ReceivedPage | undefined> {
  const behind = new URLSearchParams([
    ['page', '2'],
    ['offset', String(first.rows)],
    ...walk.ownQuery,
  ]);
  try {
    const reply = await walk.get(behind);
    const body = readPageBody(reply.body, walk.path, reply.list);
    return parsePage(1, body, undefined, reply, walk.rules(reply), walk.path);
  } catch (error) {
    if (!(error instanceof DjangoError)) throw error;
    return undefined;
  }
}

async function* inParallel(
  walk: WalkOptions,
  reader: PageReader,
  first: ReceivedPage,
  shape: ListShape,
  pages: number,
): AsyncGenerator<MembersPage, ReceivedPage> {
  const arriving = pMapIterable(
    Array(pages).keys(),
    async (index) => (index === 0 ? first : reader.fetch(index, shape.queryOf(index))),
    { concurrency: pagesAtOnce(walk.concurrency, first.size), preserveOrder: false },
  );
  let last = first;
  for await (const page of arriving) {
    if (page.index === pages - 1) {
      last = page;
    } else if (!page.next) {
      throw new DjangoListChangedError(
        walk.path,
        `page ${page.index + 1} of ${pages} says that it is the last`,
      );
    }
    yield { ...page, pagination: shape.pagination, pagesTotal: pages, isOpen: false };
    walk.signal.throwIfAborted();
  }
  return last;
}

// Pages that wait for the consumer count as running, so memory holds no more of them than this. Other
// pages may be a little larger than the first.
function pagesAtOnce(concurrency: number, size: number): number {
  return Math.max(1, Math.min(concurrency, Math.floor(BODY_BYTES_AT_ONCE / (1.25 * size))));
}

async function* oneByOne(
  walk: WalkOptions,
  reader: PageReader,
  start: ReceivedPage,
  most: number,
): AsyncGenerator<ReceivedPage> {
  for (let page = start; ; ) {
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

interface PageReader {
  first(): Promise<ReceivedPage>;
  /** A page by its position and the query that leads to it. */
  fetch(index: number, query: URLSearchParams): Promise<ReceivedPage>;
  /** The page that a next link leads to. */
  follow(page: ReceivedPage): Promise<ReceivedPage>;
}

// Fetches the pages of one walk and remembers where it has been: no page is asked for twice.
function createPageReader(walk: WalkOptions): PageReader {
  const visited = new Set<string>();
  let listSaysNext = false;

  async function first(): Promise<ReceivedPage> {
    const page = await read(0, new URLSearchParams());
    if (page.rows === 0 && page.next) {
      throw new DjangoShapeError(walk.path, 'with an empty first page that has a "next" link.');
    }
    listSaysNext = page.saysNext;
    return page;
  }

  // A page behind the first that has no rows, or has lost the key that says whether another follows, shows
  // a list that has changed or a server that has cut its reply: rows may be missing, of any kind of list.
  async function fetch(index: number, query: URLSearchParams): Promise<ReceivedPage> {
    const page = await read(index, query);
    const gap =
      page.rows === 0 ? 'is empty' : listSaysNext && !page.saysNext && 'does not say what follows';
    if (gap) throw new DjangoListChangedError(walk.path, `page ${index + 1} ${gap}`);
    return page;
  }

  async function read(index: number, query: URLSearchParams): Promise<ReceivedPage> {
    visit(query);
    const reply = await ask(index, query);
    const body = readPageBody(reply.body, walk.path, reply.list);
    const next = body.next === undefined ? undefined : added(body.next);
    return parsePage(index, body, next, reply, walk.rules(reply), walk.path);
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
    first,
    fetch,
    follow: (page) => fetch(page.index + 1, page.next ?? new URLSearchParams()),
  };
}
