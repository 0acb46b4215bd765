import type { AskedMember } from '../../../functions/admin/askedView.tsx';
import { memberView } from '../../../functions/admin/memberView.tsx';
import { createVisit } from '../../../functions/admin/visit.ts';
import type { MemberHistory } from '../../../functions/logs/history.ts';
import type { MemberReason } from '../../../functions/logs/memberReason.ts';
import type { PreviewedChange } from '../../../lib/sync/types.ts';

const visit = createVisit({ name: 'a@b.c', role: 'approver' }, new URLSearchParams(), {
  secure: true,
  signOut: false,
  djangoAdminUrl: '',
});
const memberWith = (code: MemberReason['code'], may_vote: boolean): MemberHistory => ({
  member: {
    external_id: '7',
    kennitala: '010190-****',
    name: 'Anna',
    may_vote,
    since: null,
    reason: { code, message: '' },
  },
  row: 7,
  facts: {
    last_change: null,
    held: null,
    undone: null,
    findings: [],
  } as unknown as MemberHistory['facts'],
  changes: [],
  next_before: null,
});
const shown = (
  member: MemberHistory,
  result: AskedMember['result'],
  more: Partial<AskedMember> = {},
) => {
  const asked = { result, release: false, isChanged: false, ...more };
  const html = String(memberView(visit, { member, asked }).body);
  const text = html.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ');
  return { html, text };
};
const removal = (more: Partial<PreviewedChange> = {}): PreviewedChange => ({
  action: 'remove',
  external_id: '7',
  kennitala: '010190-****',
  fields: ['is_active'],
  reason: 'not in the list; Django says 404',
  ...more,
});
const plan = 'sha256:1';

test.each([
  {
    name: 'a voter whom the register has as they are',
    member: memberWith('active', true),
    result: { members_fetched: 1 },
    says: '✓ Félagaskráin segir það sama og kjörskráin.',
  },
  {
    name: 'somebody who was suspended by hand',
    member: memberWith('suspended', false),
    result: { members_fetched: 1, members_suspended: 1 },
    says: '! Félagaskráin segir að þetta sé félagi, en hér var félaginn gerður óvirkur.',
  },
  {
    name: 'somebody who has left',
    member: memberWith('left', false),
    result: { members_fetched: 0 },
    says: '✓ Félagaskráin finnur engan með þetta númer.',
  },
  {
    name: 'a voter of another system',
    member: memberWith('other_source', true),
    result: { members_fetched: 0 },
    says: '! Félagaskráin finnur engan með þetta númer. Kosningarétturinn er úr öðru kerfi',
  },
])('that nothing changes for $name is said as it is', ({ member, result, says }) => {
  expect(shown(member, { plan, ...result }).text).toContain(says);
});

test('a change can be made as it is shown, with its digest', () => {
  const { html, text } = shown(memberWith('active', true), { plan, changes: [removal()] });
  expect(text).toContain('Þetta myndi breytast: Fer af kjörskrá');
  expect(html).toMatch(/do=apply.*name="plan" value="sha256:1"/s);
  // What waits for an approval is decided about with everything else that waits.
  const waiting = shown(memberWith('held', true), { plan, changes: [removal()] });
  expect(waiting.text).toContain('Hér er það gert fyrir þennan félaga einan.');
});

test.each(['undone', 'window_limit_exceeded'] as const)(
  'a change that waits (%s) is not said to happen, nor offered',
  (held) => {
    const { html, text } = shown(memberWith('undone', true), {
      plan,
      changes: [removal({ held })],
    });
    expect(text).toContain('Félagaskráin segir annað, en breytingin bíður samþykkis:');
    expect(html).not.toContain('do=apply');
  },
);

test('a change that is another one by now was not made, and the page says so', () => {
  const { text } = shown(
    memberWith('active', true),
    { plan, changes: [removal()] },
    { isChanged: true },
  );
  expect(text).toContain('Engu var breytt: svar félagaskrárinnar er annað en það sem þú sást.');
});

test('to make a member active shows what that changes, or why it cannot be done', () => {
  const member = memberWith('suspended', false);
  const back = removal({ action: 'reactivate', reason: 'in the list again' });
  const { html } = shown(member, { plan, changes: [back] }, { release: true });
  expect(html).toMatch(/name="release" value="true"/);
  const none = shown(member, { plan, members_fetched: 0 }, { release: true });
  expect(none.text).toContain('svo félagann er ekki hægt að virkja');
});
