import { DjangoShapeError } from './errors.ts';
import { countKeys, refuseOtherSpelling } from './membershipKeys.ts';
import { type ListHeaders, own, readWhatFollows, type WhatFollows } from './pagination.ts';
import { parseRecord, type RecordRules } from './record.ts';
import type { JsonReply } from './request.ts';
import type { MembersPage } from './types.ts';

/** The most rows of a page: more would not fit in memory. The staging numbers the rows of a page from its index times this. */
export const MOST_ROWS = 1_000_000;

/** What one page of the list says, its rows not yet parsed. */
export interface PageBody extends WhatFollows {
  rows: unknown[];
}

/** One page of a walk, parsed, before it is known how the list is paginated. */
export interface ReceivedPage extends Omit<MembersPage, 'pagination' | 'pagesTotal' | 'isOpen'> {
  /** Bytes of its body. */
  size: number;
  /** What its next link adds to our own query; undefined on the last page. */
  next: URLSearchParams | undefined;
  /** Whether it says at all if a page follows. A bare list does not, and neither does a page that lost its end. */
  saysNext: boolean;
}

/**
 * Reads a page: a bare array, `{"results": […]}` or `{"members": […]}`, and what it says of the rest of the list.
 * Throws DjangoShapeError for anything else: a link or a count that cannot be understood must not pass for the end
 * of the list.
 */
export function readPageBody(body: unknown, path: string, headers: ListHeaders = {}): PageBody {
  const rows = Array.isArray(body) ? body : (own(body, 'results') ?? own(body, 'members'));
  if (!Array.isArray(rows)) {
    throw new DjangoShapeError(
      path,
      'with JSON that is no list of members (an array, or an array under "results" or "members"). Check DJANGO_MEMBERS_PATH.',
    );
  }
  refuseTooMany(rows, path);
  return { rows, ...readWhatFollows(body, headers, path) };
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
  path: string,
): ReceivedPage {
  const keys = countKeys(rows, rules.fieldMap);
  if (keys.is_active < rows.length || keys.deleted_at < rows.length) {
    refuseOtherSpelling(rows, rules.fieldMap, path);
  }
  const page: ReceivedPage = {
    index,
    count,
    rows: rows.length,
    keys,
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

/** The Django ids that a page names, whatever became of their records, and how many records name none. */
export function namesOf({
  members,
  rejections,
  former,
  excluded,
}: Pick<MembersPage, 'members' | 'rejections' | 'former' | 'excluded'>) {
  const named = [...members, ...rejections].map(({ externalId }) => externalId);
  const all = [...named, ...former, ...excluded];
  const ids = new Set(all.filter((id): id is string => Boolean(id)));
  return { ids, nameless: all.filter((id) => !id).length };
}

function refuseTooMany(rows: unknown[], path: string): void {
  if (rows.length <= MOST_ROWS) return;
  throw new DjangoShapeError(
    path,
    `with a page of more than ${MOST_ROWS} rows. Paginate the list in Django.`,
  );
}
