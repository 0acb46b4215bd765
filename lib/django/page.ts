import type { FieldMap } from '../variables.ts';
import { isOrderedById } from './cursorOrder.ts';
import { parseRecord } from './record.ts';
import type { MembersPage } from './types.ts';
import type { WalkedPage } from './walk.ts';

/** Parses the rows of a page and sorts them by what they became. */
export function parsePage(
  { index, pagination, pagesTotal, envelope, answer, next }: WalkedPage,
  fieldMap: FieldMap,
  exclude: RegExp | undefined,
): MembersPage {
  const page: MembersPage = {
    index,
    pagination,
    pagesTotal,
    count: envelope.count,
    rows: envelope.rows.length,
    retries: answer.retries,
    serverDate: answer.serverDate,
    members: [],
    rejections: [],
    warnings: [],
    excluded: [],
    former: [],
    orderedById: pagination === 'cursor' && isOrderedById(next, envelope.rows.at(-1), fieldMap.id),
  };
  for (const row of envelope.rows) {
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
