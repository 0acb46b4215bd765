import type { Member } from '../../../lib/django/types.ts';
import { copyGoneRow, copyRow } from '../../../lib/sync/copyRows.ts';

const member: Member = {
  externalId: '7',
  kennitala: '0101010101',
  name: 'Þóra Æsa',
  email: 'thora@felagi.example',
  phone: '+354 000 0000',
  isMember: true,
};

test.each([
  {
    name: 'a member with everything',
    line: copyRow(3, member),
    text: '3\t7\t0101010101\tÞóra Æsa\tt\tthora@felagi.example\tt\t+354 000 0000\tt\n',
  },
  {
    name: 'what the record does not have',
    line: copyRow(3, { ...member, name: undefined, email: undefined, phone: undefined }),
    text: '3\t7\t0101010101\t\\N\tf\t\\N\tf\t\\N\tt\n',
  },
  {
    name: 'what the record clears',
    line: copyRow(3, { ...member, email: null, phone: null, isMember: false }),
    text: '3\t7\t0101010101\tÞóra Æsa\tt\t\\N\tt\t\\N\tf\n',
  },
  {
    name: 'every character that COPY would read as something else',
    line: copyRow(0, { ...member, externalId: 'a\tb', name: '\\N\t\\.\r\n\\', email: '\\.' }),
    text: '0\ta\\tb\t0101010101\t\\\\N\\t\\\\.\\r\\n\\\\\tt\t\\\\.\tt\t+354 000 0000\tt\n',
  },
  {
    name: 'an id that the register does not know',
    line: copyGoneRow(12, '7\\'),
    text: '12\t7\\\\\t\\N\t\\N\tf\t\\N\tf\t\\N\tf\n',
  },
])('$name is one line with nine columns', ({ line, text }) => {
  expect(line).toBe(text);
  expect(line.split('\t')).toHaveLength(9);
});
