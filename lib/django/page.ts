import type { FieldMap } from '../variables.ts';
import { DjangoShapeError } from './errors.ts';
import { readId, readPath } from './fields.ts';
import { parseRecord } from './record.ts';
import type { JsonReply } from './request.ts';
import type { MembersPage, Pagination } from './types.ts';

/** What one page of the list says, its rows not yet parsed. */
export interface PageBody {
  rows: unknown[];
  /** The register's count of all rows; undefined where it gives none. */
  count: number | undefined;
  /** The link to the next page as the register wrote it; undefined on the last page. */
  next: string | undefined;
}

/** One page of a walk as it came. */
export interface ReceivedPage {
  /** Its position in the walk, from 0. */
  index: number;
  body: PageBody;
  /** What its next link adds to our own query; undefined on the last page. */
  next: URLSearchParams | undefined;
  reply: JsonReply;
}

/** A page with what is known of the walk that it belongs to. */
export interface WalkedPage extends ReceivedPage {
  pagination: Pagination;
  pagesTotal: number | undefined;
}

/**
 * Reads a page: a bare array, `{"results": […]}` or `{"members": […]}`, with `count` and `next` or a
 * nested `links.next` where the list is paginated (Django REST framework, "Custom pagination
 * styles"). Throws DjangoShapeError for anything else: a link or a count that cannot be understood
 * must not pass for the end of the list.
 */
export function readPageBody(body: unknown, path: string): PageBody {
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

/** Parses the rows of a page and sorts them by what they became. */
export function parsePage(
  { index, pagination, pagesTotal, body, reply, next }: WalkedPage,
  fieldMap: FieldMap,
  exclude: RegExp | undefined,
): MembersPage {
  const page: MembersPage = {
    index,
    pagination,
    pagesTotal,
    count: body.count,
    rows: body.rows.length,
    retries: reply.retries,
    serverDate: reply.serverDate,
    members: [],
    rejections: [],
    warnings: [],
    excluded: [],
    former: [],
    orderedById: pagination === 'cursor' && isOrderedById(next, body.rows.at(-1), fieldMap.id),
  };
  for (const row of body.rows) {
    const parsed = parseRecord(row, fieldMap, exclude);
    if (parsed.kind === 'member') {
      page.members.push(parsed.member);
      page.warnings.push(...parsed.warnings);
    } else if (parsed.kind === 'rejected') {
      page.rejections.push(parsed.rejection);
    } else if (parsed.kind === 'former') {
      page.former.push(parsed.externalId);
    } else page.excluded.push(parsed.externalId ?? '');
  }
  return page;
}

/**
 * Whether a cursor link shows that the list is in the order of its ids. The cursor of Django REST
 * framework is base64 of a query string whose `p` is the ordering value of the last row of the page
 * (pagination.py, CursorPagination.encode_cursor and get_next_link). Ids do not change, so no row can
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

function own(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
}
