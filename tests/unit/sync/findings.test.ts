import { createErrorList, findingsOf } from '../../../lib/sync/findings.ts';

test('errors become findings, one a member and one for all records that name nobody', () => {
  const errors = createErrorList();
  errors.add('invalid_name', '1', 'a');
  errors.add('duplicate_record', '1', 'b');
  errors.add('invalid_record', undefined, 'c');
  errors.add('invalid_id', null, 'd');
  errors.add('removal_unconfirmed', '1', 'e');
  errors.add('inactive_here', '2', 'f');
  errors.add('undo_conflict', '3', 'g');
  errors.add('unknown_id', '4', 'h');
  const of = (code: string, external_id: string, records: number, error_code: string) =>
    expect.objectContaining({ code, external_id, records, error_code });
  expect(findingsOf(errors)).toEqual([
    of('records_set_aside', '1', 2, 'duplicate_record'),
    of('records_set_aside', '', 2, 'invalid_id'),
    of('removals_unconfirmed', '1', 1, 'removal_unconfirmed'),
    of('inactive_here', '2', 1, 'inactive_here'),
  ]);
});

test('errors that were too many to keep are counted with those that name nobody', () => {
  const errors = createErrorList();
  for (let id = 0; id < 10_005; id++) errors.add('invalid_name', String(id), '');
  const found = findingsOf(errors);
  expect(found).toHaveLength(10_001);
  expect(found.at(-1)).toMatchObject({ external_id: '', records: 5 });
  expect(errors.shown()).toHaveLength(100);
});

test('what nobody has to do anything about is no finding, however many there are', () => {
  const errors = createErrorList();
  for (let id = 0; id < 10_005; id++) errors.add('value_rewritten', String(id), '');
  errors.add('change_refused', '7', '');
  expect(findingsOf(errors)).toMatchObject([{ code: 'changes_refused', records: 1 }]);
});
