import fc from 'fast-check';
import type { Member } from '../../../lib/django/types.ts';
import { CopyLines } from '../../../lib/sync/copyLines.ts';

const member: Member = {
  externalId: '7',
  kennitala: '0101010101',
  name: 'Þóra Æsa',
  email: 'thora@felagi.example',
  phone: '+354 000 0000',
  isMember: true,
};

function written(write: (lines: CopyLines) => void): string {
  const lines = new CopyLines();
  write(lines);
  return lines.take().toString('utf8');
}

test.each([
  {
    name: 'a member with everything',
    line: written((lines) => lines.add(3, member)),
    text: '3\t7\t0101010101\tÞóra Æsa\tt\tthora@felagi.example\tt\t+354 000 0000\tt\n',
  },
  {
    name: 'what the record does not have',
    line: written((lines) =>
      lines.add(3, { ...member, name: undefined, email: undefined, phone: undefined }),
    ),
    text: '3\t7\t0101010101\t\\N\tf\t\\N\tf\t\\N\tt\n',
  },
  {
    name: 'what the record clears',
    line: written((lines) =>
      lines.add(3, { ...member, email: null, phone: null, isMember: false }),
    ),
    text: '3\t7\t0101010101\tÞóra Æsa\tt\t\\N\tt\t\\N\tf\n',
  },
  {
    name: 'every character that COPY would read as something else',
    line: written((lines) =>
      lines.add(0, { ...member, externalId: 'a\tb', name: '\\N\t\\.\r\n\\', email: '\\.' }),
    ),
    text: '0\ta\\tb\t0101010101\t\\\\N\\t\\\\.\\r\\n\\\\\tt\t\\\\.\tt\t+354 000 0000\tt\n',
  },
  {
    name: 'an id that the register does not know',
    line: written((lines) => lines.addGone(12, '7\\')),
    text: '12\t7\\\\\t\\N\t\\N\tf\t\\N\tf\t\\N\tf\n',
  },
])('$name is one line with nine columns', ({ line, text }) => {
  expect(line).toBe(text);
  expect(line.split('\t')).toHaveLength(9);
});

test('any text that a member may have comes out as COPY reads it back', () => {
  const text = fc
    .string({ unit: 'binary', maxLength: 255 })
    .map((value) => value.replaceAll('\0', ''));
  fc.assert(
    fc.property(text, (name) => {
      const column = written((lines) => lines.add(1, { ...member, name })).split('\t')[3] ?? '';
      const unescaped: Record<string, string> = { t: '\t', n: '\n', r: '\r', '\\': '\\' };
      expect(column.replace(/\\(.)/g, (_, letter) => unescaped[letter] ?? '?')).toBe(name);
    }),
  );
});

test('lines of any number and length come out whole', () => {
  const longest = '😀'.repeat(255);
  const lines = new CopyLines();
  const long = { ...member, externalId: longest, name: longest, email: longest };
  for (let ordinal = 0; ordinal < 100; ordinal++) lines.add(ordinal, long);
  const all = lines.take().toString('utf8').split('\n');
  expect(all).toHaveLength(101);
  expect(all[99]).toBe(
    `99\t${longest}\t0101010101\t${longest}\tt\t${longest}\tt\t+354 000 0000\tt`,
  );
  expect(lines.take()).toHaveLength(0);
});

test('a line that is too long for its columns is an error and not half a line', () => {
  const lines = new CopyLines();
  expect(() => lines.add(1, { ...member, name: 'x'.repeat(100_000) })).toThrow(RangeError);
});
