import { DjangoShapeError } from './errors.ts';
import { parseRecord, type RecordRules } from './record.ts';
import type { JsonReply } from './request.ts';
import type { MembersPage } from './types.ts';

/** The most rows of a page: more would not fit in memory. The staging numbers the rows of a page from its index times this. */
export const MOST_ROWS = 1_000_000;

/** What one page of the list says, its rows not yet parsed. */
export interface PageBody {
  rows: unknown[];
  /** The register's count of all rows; undefined where it gives none. */
  count: number | undefined;
  /** The link to the next page as the register wrote it; undefined on the last page. */
  next: string | undefined;
  saysNext: boolean;
}

/** One page of a walk, parsed, before it is known how the list is paginated. */
export interface ReceivedPage extends Omit<MembersPage, 'pagination' | 'pagesTotal'> {
  /** Bytes of its body. */
  size: number;
  /** What its next link adds to our own query; undefined on the last page. */
  next: URLSearchParams | undefined;
  /** Whether it says at all if a page follows. A bare list does not, and neither does a page that lost its end. */
  saysNext: boolean;
}

/**
 * Reads a page: a bare array, `{"results": […]}` or `{"members": […]}`, with `count` and `next` or a
 * nested `links.next` where the list is paginated (Django REST framework, "Custom pagination
 * styles"). Throws DjangoShapeError for anything else: a link or a count that cannot be understood
 * must not pass for the end of the list.
 */
export function readPageBody(body: unknown, path: string): PageBody {
  if (Array.isArray(body)) {
    refuseTooMany(body, path);
    return { rows: body, count: undefined, next: undefined, saysNext: false };
  }
  const rows = own(body, 'results') ?? own(body, 'members');
  if (!Array.isArray(rows)) {
    throw new DjangoShapeError(
      path,
      'with JSON that is no list of members (an array, or an array under "results" or "members"). Check DJANGO_MEMBERS_PATH.',
    );
  }
  refuseTooMany(rows, path);
  const count = own(body, 'count') ?? undefined;
  if (count !== undefined && !(Number.isSafeInteger(count) && Number(count) >= 0)) {
    throw new DjangoShapeError(path, 'with a "count" that is no whole number.');
  }
  const given = own(body, 'next') ?? own(own(body, 'links'), 'next');
  const saysNext = given !== undefined || own(body, 'next') === null;
  const next = given ?? undefined;
  if (next !== undefined && typeof next !== 'string') {
    throw new DjangoShapeError(path, 'with a "next" that is no link.');
  }
  return { rows, count: count as number | undefined, next: next || undefined, saysNext };
}

/**
 * Reads a page and sorts its rows by what they became. `next` is what its link adds to our own query.
 * Throws DjangoShapeError, also for more rows than a page can have.
 */
export function parsePage(
  index: number,
  { rows, count, saysNext }: PageBody,
  next: URLSearchParams | undefined,
  reply: JsonReply,
  rules: RecordRules,
): ReceivedPage {
  const page: ReceivedPage = {
    index,
    count,
    rows: rows.length,
    size: reply.size,
    next,
    saysNext,
    retries: reply.retries,
    serverDate: reply.serverDate,
    stale: reply.stale,
    members: [],
    rejections: [],
    warnings: [],
    excluded: [],
    former: [],
  };
  for (const row of rows) {
    const parsed = parseRecord(row, rules);
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

function refuseTooMany(rows: unknown[], path: string): void {
  if (rows.length <= MOST_ROWS) return;
  throw new DjangoShapeError(
    path,
    `with a page of more than ${MOST_ROWS} rows. Paginate the list in Django.`,
  );
}

function own(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
}
