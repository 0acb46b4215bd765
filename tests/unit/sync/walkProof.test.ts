import type { MembersPage } from '../../../lib/django/types.ts';
import { addPage, emptyProof, judgeWalk } from '../../../lib/sync/walkProof.ts';

const page = (rows: number, count: number | undefined, retries = 0): MembersPage => ({
  index: 0,
  pagination: 'page-number',
  pagesTotal: undefined,
  count,
  rows,
  retries,
  serverDate: undefined,
  stale: false,
  isOpen: false,
  keys: { rows, is_active: 0, deleted_at: 0 },
  members: [],
  rejections: [],
  warnings: [],
  excluded: [],
  former: [],
});

function walk(pages: MembersPage[], duplicates = 0, listChanged = false) {
  const proof = emptyProof(1);
  for (const each of pages) addPage(proof, each);
  proof.duplicates_across_pages = duplicates;
  return judgeWalk(proof, listChanged);
}

test('the pages of a walk add up, and their counts are kept from first to last', () => {
  expect(walk([page(10, 25), page(10, 27, 2), page(5, 24)])).toMatchObject({
    pagination: 'page-number',
    pages: 3,
    rows: 25,
    count_at_start: 25,
    count_lowest: 24,
    count_highest: 27,
    count_at_end: 24,
    retried_pages: 1,
  });
});

test.each([
  { name: 'pages that agree', proof: walk([page(10, 15), page(5, 15)]) },
  { name: 'an empty list that counts nobody', proof: walk([page(0, 0)]) },
  { name: 'pages without any count', proof: walk([page(10, undefined), page(5, undefined)]) },
])('$name prove a walk complete', ({ proof }) => {
  expect(proof).toMatchObject({ complete: true, mismatches: [] });
});

test.each([
  {
    name: 'an old page from a cache',
    proof: walk([page(10, 15), { ...page(5, 15), stale: true }]),
    mismatches: ['1 pages were older than a minute: a cache before the register answers'],
  },
  {
    name: 'a page that was gone',
    proof: walk([page(10, 10)], 0, true),
    mismatches: ['the list changed while it was read: a page was gone, empty or cut'],
  },
  {
    name: 'a count that fell and rose again',
    proof: walk([page(10, 25), page(10, 24), page(5, 25)]),
    mismatches: ['the count went from 25 to 25'],
  },
  {
    name: 'fewer rows than counted',
    proof: walk([page(9, 10)]),
    mismatches: ['9 rows received, 10 counted'],
  },
  {
    name: 'more rows than counted',
    proof: walk([page(11, 10)]),
    mismatches: ['11 rows received, 10 counted'],
  },
  {
    name: 'rows without a page that counts them, after one that does',
    proof: walk([page(10, 10), page(1, undefined)]),
    mismatches: ['11 rows received, 10 counted'],
  },
  {
    name: 'a record on two pages',
    proof: walk([page(10, 10)], 1),
    mismatches: ['1 records came on two pages'],
  },
])('$name: the walk is not complete, and it says why', ({ proof, mismatches }) => {
  expect(proof).toMatchObject({ complete: false, mismatches });
});

test('a walk that does not show a canary is incomplete, however its counts agree', () => {
  const member = { externalId: '7' } as MembersPage['members'][number];
  const judged = (ids: string[]) => {
    const proof = emptyProof(1, ids);
    addPage(proof, { ...page(1, 3), members: [member] });
    addPage(proof, { ...page(1, 3), excluded: ['8'] });
    addPage(proof, { ...page(1, 3), former: ['9'] });
    return judgeWalk(proof, false);
  };
  expect(judged(['7', '8', '9'])).toMatchObject({ complete: true, canaries_missing: [] });
  expect(judged(['7', '10'])).toMatchObject({
    complete: false,
    canaries_missing: ['10'],
    mismatches: [expect.stringMatching(/SYNC_CANARY_IDS 10 /)],
  });
});

test('a page that has another behind it, and does not say so, proves nothing of who is not on it', () => {
  const { complete, mismatches } = walk([{ ...page(500, undefined), isOpen: true }]);
  expect(complete).toBe(false);
  expect(mismatches).toEqual([expect.stringContaining('another page behind the first')]);
});
