import type { Member, MemberLookup } from '../../../lib/django/types.ts';
import { readLookup } from '../../../lib/sync/confirm.ts';

const removal = {
  member_id: 101,
  external_id: '1',
  kennitala: '0101010101',
  superseded: false,
};
const reply = (changes: Partial<Member>): MemberLookup => ({
  found: true,
  record: {
    kind: 'member',
    member: {
      externalId: '1',
      kennitala: '0101010101',
      name: 'Anna',
      email: null,
      phone: null,
      isMember: true,
      ...changes,
    },
    warnings: [],
  },
});

// Only the first three let a member be removed.
const replies: { name: string; lookup: MemberLookup; means: string }[] = [
  { name: 'no such member', lookup: { found: false, byApi: true }, means: 'gone' },
  {
    name: 'this person, who is no member any more',
    lookup: reply({ isMember: false }),
    means: 'not_a_member',
  },
  {
    name: 'a record of this id that the pattern leaves out',
    lookup: { found: true, record: { kind: 'excluded', externalId: '1' } },
    means: 'not_a_member',
  },
  {
    name: 'a record of another id that the pattern leaves out',
    lookup: { found: true, record: { kind: 'excluded', externalId: '2' } },
    means: 'another_record',
  },
  {
    name: 'a record without an id that the pattern leaves out',
    lookup: { found: true, record: { kind: 'excluded', externalId: undefined } },
    means: 'another_record',
  },
  { name: 'this person, who is a member', lookup: reply({}), means: 'still_a_member' },
  {
    name: 'a former member of another id',
    lookup: reply({ externalId: '2', isMember: false }),
    means: 'another_record',
  },
  {
    name: 'a former member of this id with another kennitala',
    lookup: reply({ kennitala: '0202020202', isMember: false }),
    means: 'another_record',
  },
  {
    name: 'a member of this id with another kennitala',
    lookup: reply({ kennitala: '0202020202' }),
    means: 'another_record',
  },
  {
    name: 'a record that cannot be read',
    lookup: {
      found: true,
      record: {
        kind: 'rejected',
        rejection: {
          code: 'invalid_name',
          externalId: '1',
          kennitala: '0101010101',
          message: 'the name is empty',
        },
      },
    },
    means: 'unreadable',
  },
];

test.each(replies)('a reply with $name means $means', ({ lookup, means }) => {
  expect(readLookup(lookup, removal)).toBe(means);
});
