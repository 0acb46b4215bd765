import { asTheyArrive } from './asTheyArrive.ts';
import { DjangoListChangedError, DjangoShapeError } from './errors.ts';
import { throwIfInterrupted } from './interruption.ts';
import { createPageReader, type PageReader, type RawPage, type Walk } from './pageReader.ts';
import { MOST_PAGES, type Route, recognisePagination } from './pagination.ts';
import type { Pagination } from './types.ts';

/** A page with what is known of the walk that it belongs to. */
export interface WalkedPage extends RawPage {
  pagination: Pagination;
  pagesTotal: number | undefined;
}

/**
 * Walks the list from its first page to its last. Pages that can be asked for by number come in
 * parallel and in any order; the others one after the other, the next one on its way while the
 * consumer has the current. Throws DjangoListChangedError where the list moved under the walk, and
 * DjangoShapeError for links that repeat or never end. Whether every row came is for the caller
 * to judge, from the counts in the pages.
 */
export async function* walkPages(walk: Walk): AsyncGenerator<WalkedPage> {
  const reader = createPageReader(walk);
  const first = await reader.first();
  const route = recognisePagination(first.envelope, first.next, walk.path);
  const { pagination, pages } = route;
  if (pages === undefined) {
    const total = pagination === 'single-page' ? 1 : undefined;
    for await (const page of oneByOne(walk, reader, first, pagination, MOST_PAGES)) {
      yield { ...page, pagination, pagesTotal: total };
    }
    return;
  }
  const last = yield* inParallel(walk, reader, first, route, pages);
  if (!last.next) return;
  // The list has grown since it was counted: a little is normal, twice the count is not.
  const most = Math.min(MOST_PAGES, 2 * pages + 100);
  const next = await reader.follow(last);
  for await (const page of oneByOne(walk, reader, next, pagination, most)) {
    yield { ...page, pagination, pagesTotal: page.index + (page.next ? 2 : 1) };
  }
}

async function* inParallel(
  walk: Walk,
  reader: PageReader,
  first: RawPage,
  route: Route,
  pages: number,
): AsyncGenerator<WalkedPage, RawPage> {
  const indexes = Array.from({ length: pages }, (_, index) => index);
  const arriving = asTheyArrive(indexes, walk.concurrency, async (index) =>
    index === 0 ? first : reader.fetch(index, route.queryOf(index)),
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
    yield { ...page, pagination: route.pagination, pagesTotal: pages };
    throwIfInterrupted(walk.signal);
  }
  return last;
}

async function* oneByOne(
  walk: Walk,
  reader: PageReader,
  start: RawPage,
  pagination: Pagination,
  most: number,
): AsyncGenerator<RawPage> {
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
    throwIfInterrupted(walk.signal);
    if (!upcoming) return;
    page = await upcoming;
  }
}

function refuseEmpty(walk: Walk, { index, envelope }: RawPage): void {
  if (index > 0 && envelope.rows.length === 0) {
    throw new DjangoListChangedError(walk.path, `page ${index + 1} is empty`);
  }
}
