import { copyData } from '../../../lib/sync/copy.ts';

test('rows go as PostgreSQL describes its binary format', () => {
  const data = copyData([
    [3, '7', 'Þóra', true, false],
    [2 ** 33 + 1, null, undefined, ''],
  ]);
  const hex = data.toString('hex');
  const header = '5047434f50590aff0d0a00' + '00000000' + '00000000';
  const first = [
    '0005',
    '00000008' + '0000000000000003',
    '00000001' + '37',
    '00000006' + 'c39ec3b37261',
    '00000001' + '01',
    '00000001' + '00',
  ];
  const second = ['0004', '00000008' + '0000000200000001', 'ffffffff', 'ffffffff', '00000000'];
  expect(hex).toBe([header, ...first, ...second, 'ffff'].join(''));
});

test('no rows are a frame, and half a character becomes the one that stands for it', () => {
  expect(copyData([]).toString('hex')).toBe('5047434f50590aff0d0a000000000000000000ffff');
  expect(copyData([['\ud800']]).includes('\ufffd')).toBe(true);
});
