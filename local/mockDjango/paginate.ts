import type { MemberRecord } from './people.ts';
import { type Behaviour, json, type Reply } from './types.ts';

interface Page {
  rows: readonly MemberRecord[];
  count?: number;
  next: URL | null;
  previous: URL | null;
}

/** One page of the rows, as Django REST framework replies to that URL. `next` is built from it. */
export function paginate(
  rows: readonly MemberRecord[],
  url: URL,
  behaviour: Behaviour,
  write: (row: MemberRecord) => unknown,
): Reply {
  switch (behaviour.pagination) {
    case 'page-number':
      return answer(byPageNumber(rows, url, behaviour), behaviour, write);
    case 'limit-offset':
      return answer(byOffset(rows, url, behaviour), behaviour, write);
    case 'cursor':
      return answer(byCursor(rows, url, behaviour), behaviour, write);
    case 'array':
      return json(200, rows.map(write));
    default:
      return json(200, { [behaviour.pagination]: rows.map(write) });
  }
}

function answer(
  page: Page | string,
  { nestedLinks }: Behaviour,
  write: (row: MemberRecord) => unknown,
): Reply {
  if (typeof page === 'string') return json(404, { detail: page });
  const links = { next: page.next?.href ?? null, previous: page.previous?.href ?? null };
  return json(200, {
    ...(page.count === undefined ? {} : { count: page.count }),
    ...(nestedLinks ? { links } : links),
    results: page.rows.map(write),
  });
}

function byPageNumber(
  rows: readonly MemberRecord[],
  url: URL,
  behaviour: Behaviour,
): Page | string {
  const size = sizeFrom(url.searchParams.get('page_size'), behaviour);
  const last = Math.max(1, Math.ceil(rows.length / size));
  const asked = url.searchParams.get('page') ?? '1';
  const page = asked === 'last' ? last : Number(asked);
  if (!Number.isInteger(page) || page < 1 || page > last) return 'Invalid page.';
  return {
    rows: rows.slice((page - 1) * size, page * size),
    count: rows.length,
    next: page < last ? link(url, { page: page + 1 }) : null,
    // The first page is linked without its number.
    previous: page > 1 ? link(url, { page: page === 2 ? undefined : page - 1 }) : null,
  };
}

function byOffset(rows: readonly MemberRecord[], url: URL, behaviour: Behaviour): Page {
  const limit = sizeFrom(url.searchParams.get('limit'), behaviour);
  const offset = positive(url.searchParams.get('offset')) ?? 0;
  const before = Math.max(0, offset - limit);
  return {
    rows: rows.slice(offset, offset + limit),
    count: rows.length,
    next: offset + limit < rows.length ? link(url, { limit, offset: offset + limit }) : null,
    previous: offset > 0 ? link(url, { limit, offset: before || undefined }) : null,
  };
}

// The cursor names the last row that was given, so rows deleted before it shift nothing.
function byCursor(rows: readonly MemberRecord[], url: URL, behaviour: Behaviour): Page | string {
  const size = sizeFrom(url.searchParams.get('page_size'), behaviour);
  const cursor = url.searchParams.get('cursor');
  const position = cursor === null ? '0' : /^p=(\d+)$/.exec(atobOrEmpty(cursor))?.[1];
  if (position === undefined) return 'Invalid cursor';
  const start = rows.findIndex(({ id }) => id > Number(position));
  const page = start < 0 ? [] : rows.slice(start, start + size);
  const more = start >= 0 && start + size < rows.length;
  return {
    rows: page,
    next: more ? link(url, { cursor: btoa(`p=${page.at(-1)?.id}`) }) : null,
    previous: null,
  };
}

// Django keeps the other parameters and sorts them all by name.
function link(url: URL, parameters: Record<string, string | number | undefined>): URL {
  const next = new URL(url);
  for (const [name, value] of Object.entries(parameters)) {
    if (value === undefined) {
      next.searchParams.delete(name);
    } else next.searchParams.set(name, String(value));
  }
  next.searchParams.sort();
  return next;
}

function sizeFrom(asked: string | null, { pageSize, maxPageSize }: Behaviour): number {
  return Math.min(positive(asked) || pageSize, maxPageSize);
}

// A value that is no whole number is ignored, not refused.
function positive(value: string | null): number | undefined {
  return value !== null && /^\d+$/.test(value) ? Number(value) : undefined;
}

function atobOrEmpty(text: string): string {
  try {
    return atob(text);
  } catch {
    return '';
  }
}
