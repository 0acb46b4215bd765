import fc from 'fast-check';
import { copyLine } from '../../../lib/sync/copy.ts';

test.each([
  {
    name: 'values of every kind',
    values: [3, '7', 'Þóra Æsa', true, false],
    text: '3\t7\tÞóra Æsa\tt\tf\n',
  },
  { name: 'what is not there', values: [3, null, undefined, ''], text: '3\t\\N\t\\N\t\n' },
  {
    name: 'every character that COPY would read as something else',
    values: ['a\tb', '\\N\t\\.\r\n\\', '\\.'],
    text: 'a\\tb\t\\\\N\\t\\\\.\\r\\n\\\\\t\\\\.\n',
  },
])('$name: one line', ({ values, text }) => {
  expect(copyLine(values)).toBe(text);
});

test('any text that a member may have comes out as COPY reads it back', () => {
  const text = fc
    .string({ unit: 'binary', maxLength: 255 })
    .map((value) => value.replaceAll('\0', ''));
  fc.assert(
    fc.property(text, (name) => {
      const column = copyLine([1, name, 'end']).split('\t')[1] ?? '';
      const unescaped: Record<string, string> = { t: '\t', n: '\n', r: '\r', '\\': '\\' };
      expect(column.replace(/\\(.)/g, (_, letter) => unescaped[letter] ?? '?')).toBe(name);
    }),
  );
});
