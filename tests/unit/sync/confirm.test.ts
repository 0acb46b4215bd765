import {
  DjangoHttpError,
  DjangoShapeError,
  DjangoTimeoutError,
} from '../../../lib/django/errors.ts';
import type { Member, MemberLookup } from '../../../lib/django/types.ts';
import { SyncError } from '../../../lib/errors.ts';
import { type Doubt, problemWith, readReply } from '../../../lib/sync/confirm.ts';
import type { PageReply } from '../../../lib/sync/memberPages.ts';

const removal: Doubt = {
  action: 'remove',
  member_id: 101,
  external_id: '1',
  kennitala: '0101010101',
  superseded: false,
};
const reply = (changes: Partial<Member>): MemberLookup => ({
  found: true,
  stale: false,
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
const replies: { name: string; lookup: PageReply | undefined; means: string }[] = [
  { name: 'no such member', lookup: { found: false, byApi: true, stale: false }, means: 'gone' },
  {
    name: 'this person, who is no member any more',
    lookup: reply({ isMember: false }),
    means: 'not_a_member',
  },
  {
    name: 'a record of this id that the pattern leaves out',
    lookup: { found: true, stale: false, record: { kind: 'excluded', externalId: '1' } },
    means: 'not_a_member',
  },
  {
    name: 'a record of another id that the pattern leaves out',
    lookup: { found: true, stale: false, record: { kind: 'excluded', externalId: '2' } },
    means: 'another_record',
  },
  {
    name: 'a record without an id that the pattern leaves out',
    lookup: { found: true, stale: false, record: { kind: 'excluded', externalId: undefined } },
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
      stale: false,
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
  {
    name: 'a 404 of a gateway',
    lookup: { found: false, byApi: false, stale: false },
    means: 'unclear',
  },
  {
    name: 'an old 404 from a cache',
    lookup: { found: false, byApi: true, stale: true },
    means: 'unclear',
  },
  {
    name: 'an old record from a cache',
    lookup: { ...reply({ isMember: false }), stale: true },
    means: 'unclear',
  },
  {
    name: 'no place to ask at',
    lookup: new SyncError('invalid_request', 'the id fits in no path'),
    means: 'unclear',
  },
  { name: '403', lookup: new DjangoHttpError('/7/', 403, {}), means: 'refused' },
  { name: '500', lookup: new DjangoHttpError('/7/', 500, {}), means: 'refused' },
  { name: 'a login form', lookup: new DjangoShapeError('/7/', 'HTML'), means: 'refused' },
  { name: 'nothing in time', lookup: new DjangoTimeoutError('/7/', 1), means: 'unanswered' },
  {
    name: 'nothing before the budget was over',
    lookup: new SyncError('deadline_exceeded', 'over'),
    means: 'unanswered',
  },
  { name: 'nothing, since it was not asked', lookup: undefined, means: 'unanswered' },
];

test.each(replies)('a reply with $name means $means', ({ lookup, means }) => {
  expect(readReply(lookup, removal)).toBe(means);
});

test('an answer that was given is never told as none', () => {
  for (const { lookup, means } of replies) {
    if (means !== 'refused' && means !== 'unreadable') continue;
    const problem = problemWith(removal, readReply(lookup, removal), true);
    expect(problem?.message).not.toMatch(/did not answer/);
  }
});

test.each([
  ['gone', undefined],
  ['not_a_member', undefined],
  ['still_a_member', 'removal_unconfirmed'],
  ['another_record', 'removal_unconfirmed'],
  ['unreadable', 'removal_unconfirmed'],
  ['refused', 'removal_unconfirmed'],
  ['unproven', 'removal_unconfirmed'],
  ['unanswered', 'removal_unconfirmed'],
] as const)('of a removal %s means %s', (finding, code) => {
  expect(problemWith(removal, finding, true)?.code).toBe(code);
});

const returning: Doubt = { ...removal, action: 'reactivate' };
test.each([
  ['still_a_member', true, undefined],
  ['still_a_member', false, undefined],
  // There is no such page: the list counts, unless it is old.
  ['unclear', true, undefined],
  ['unclear', false, 'reactivation_unconfirmed'],
  ['gone', true, 'reactivation_unconfirmed'],
  ['not_a_member', true, 'reactivation_unconfirmed'],
  ['another_record', true, 'reactivation_unconfirmed'],
  ['unreadable', true, 'reactivation_unconfirmed'],
  ['refused', true, 'reactivation_unconfirmed'],
  ['unanswered', true, 'reactivation_unconfirmed'],
] as const)('of a member who comes back %s (list fresh: %s) means %s', (finding, isFresh, code) => {
  expect(problemWith(returning, finding, isFresh)?.code).toBe(code);
});
