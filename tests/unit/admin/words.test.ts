import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codesEn } from '../../../functions/admin/words/codesEn.ts';
import { codesIs } from '../../../functions/admin/words/codesIs.ts';
import { en } from '../../../functions/admin/words/en.ts';
import { is } from '../../../functions/admin/words/is.ts';
import { confirmations, evidences, reasonOf } from '../../../lib/sync/result.ts';

test.each(Object.keys(codesIs) as (keyof typeof codesIs)[])(
  '%s says the same codes in both',
  (table) => {
    // English takes the reasons of changes as they are.
    if (table === 'changeReasons') return;
    expect(Object.keys(codesEn[table]).sort()).toEqual(Object.keys(codesIs[table]).sort());
  },
);

test('every reason of a change has its Icelandic words', () => {
  const none = { fields: [], evidence: null, reason: null, confirmed: null };
  const phrases = [
    ...Object.values(evidences),
    ...Object.values(confirmations),
    reasonOf({ ...none, action: 'add' }),
    reasonOf({ ...none, action: 'reactivate' }),
    reasonOf({ ...none, action: 'update', fields: ['kennitala'] }),
  ];
  expect(phrases.filter((phrase) => is.changeReasons[phrase] === undefined)).toEqual([]);
});

test('every error that a run reports has its words, as the table in API.md lists them', async () => {
  const api = await readFile(join(import.meta.dirname, '../../../docs/API.md'), 'utf8');
  const [, table = ''] = /What `errors` may hold[^|]*(\|.*?)\n\n/s.exec(api) ?? [];
  const codes = [...table.matchAll(/^\|([^|]*)\|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`(\w+)`/g)].map(([, code = '']) => code),
  );
  expect(codes.length).toBeGreaterThan(15);
  expect(codes.filter((code) => is.recordErrors[code] === undefined)).toEqual([]);
});

test('another kennitala is counted apart, because it gives a vote to another number', () => {
  expect([is.updated(3, 1), en.updated(3, 0)]).toEqual([
    '3 breyttust (þar af 1 kennitala)',
    '3 changed',
  ]);
});

test.each([
  [1, '1 félagi myndi missa kosningarétt', '1 member would lose their vote'],
  [11, '11 félagar myndu missa kosningarétt', '11 members would lose their vote'],
  [21, '21 félagi myndi missa kosningarétt', '21 members would lose their vote'],
  [2174, '2.174 félagar myndu missa kosningarétt', '2,174 members would lose their vote'],
])('%d is counted as the language counts', (count, icelandic, english) => {
  expect([is.wouldLose(count), en.wouldLose(count)]).toEqual([icelandic, english]);
});
