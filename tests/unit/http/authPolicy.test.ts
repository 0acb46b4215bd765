import * as fc from 'fast-check';
import {
  type Caller,
  type CallerLists,
  mayAsk,
  type Right,
  rightsOf,
} from '../../../lib/http/authPolicy.ts';

const none: CallerLists = { allowed: [], reporters: [], starters: [], page: [] };
const hook = 'hook@p.iam.gserviceaccount.com';
const account = (email: string | undefined, subject: string | undefined = '17'): Caller => ({
  name: email ?? subject ?? '',
  email,
  subject,
});

describe('what a caller may do', () => {
  const cases: {
    name: string;
    caller?: Caller;
    mode?: 'key' | 'iam' | 'iap';
    lists: Partial<CallerLists>;
    rights: Right[];
  }[] = [
    { name: 'all, where IAM alone decides', lists: {}, rights: ['decide'] },
    { name: 'all, where the proxy alone decides', mode: 'iap', lists: {}, rights: ['decide'] },
    { name: 'nothing at a public URL', mode: 'key', lists: {}, rights: [] },
    { name: 'all, when allowed', lists: { allowed: [hook] }, rights: ['decide'] },
    {
      name: 'all, when allowed at a public URL',
      mode: 'key',
      lists: { allowed: [hook] },
      rights: ['decide'],
    },
    { name: 'nothing, when others are allowed', lists: { allowed: ['a@x.is'] }, rights: [] },
    { name: 'all, as the page', lists: { allowed: ['a@x.is'], page: [hook] }, rights: ['decide'] },
    { name: 'report', lists: { reporters: [hook] }, rights: ['report'] },
    { name: 'start', lists: { starters: [hook] }, rights: ['start'] },
    { name: 'both', lists: { reporters: [hook], starters: [hook] }, rights: ['report', 'start'] },
    {
      name: 'report, though allowed',
      lists: { reporters: [hook], allowed: [hook] },
      rights: ['report'],
    },
    {
      name: 'start, though the page',
      lists: { starters: [hook], page: [hook] },
      rights: ['start'],
    },
    {
      name: 'report, in capitals',
      lists: { reporters: [hook.toUpperCase()], allowed: [hook] },
      rights: ['report'],
    },
    {
      name: 'report, with capitals in the token',
      caller: account(hook.toUpperCase()),
      lists: { reporters: [hook], allowed: [hook.toUpperCase()] },
      rights: ['report'],
    },
    {
      name: 'report, by the id of the account',
      lists: { reporters: ['17'], allowed: [hook] },
      rights: ['report'],
    },
    {
      name: 'report, by e-mail though allowed by id',
      lists: { reporters: [hook], allowed: ['17'] },
      rights: ['report'],
    },
    {
      name: 'nothing, when the token hides the e-mail that a list restricts',
      caller: account(undefined),
      lists: { reporters: [hook], allowed: ['17'] },
      rights: [],
    },
    {
      name: 'nothing, when the token hides the id that a list restricts',
      caller: { ...account(hook), subject: undefined },
      lists: { starters: ['17'] },
      rights: [],
    },
    {
      name: 'report, also with the admin key',
      caller: { ...account(hook), key: 'admin-key' },
      lists: { reporters: [hook] },
      rights: ['report'],
    },
    {
      name: 'nothing, with the admin key of an account that is not listed',
      caller: { ...account(hook), key: 'admin-key' },
      lists: { allowed: ['a@x.is'] },
      rights: [],
    },
    {
      name: 'all, with the admin key at a public URL',
      caller: { name: 'admin-key', key: 'admin-key' },
      mode: 'key',
      lists: { allowed: ['a@x.is'], reporters: [hook] },
      rights: ['decide'],
    },
    {
      name: 'report, with the webhook key',
      caller: { name: 'webhook-key', key: 'webhook-key' },
      mode: 'key',
      lists: {},
      rights: ['report'],
    },
    {
      name: 'report, as an allowed account that sends the webhook key',
      caller: { ...account(hook), key: 'webhook-key' },
      lists: { allowed: [hook] },
      rights: ['report'],
    },
    {
      name: 'nothing, with a letter that only looks the same',
      caller: account('hoo\u212a@p.iam.gserviceaccount.com'),
      lists: { allowed: [hook] },
      rights: [],
    },
  ];
  test.each(cases)('$name', ({ caller = account(hook), mode = 'iam', lists, rights }) => {
    expect(rightsOf(caller, mode, { ...none, ...lists })).toEqual(rights);
  });
});

test('a restricted account decides nothing, however lists, keys and letters fall', () => {
  const emails = fc.constantFrom('a@x.is', 'b@x.is', 'c@x.is');
  const spelt = fc
    .tuple(emails, fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }))
    .map(([email, upper]) =>
      [...email].map((letter, at) => (upper[at] ? letter.toUpperCase() : letter)).join(''),
    );
  const list = fc.array(fc.oneof(spelt, fc.constantFrom('17', '18')), { maxLength: 3 });
  const scene = fc.record({
    lists: fc.record({ allowed: list, reporters: list, starters: list, page: list }),
    email: fc.option(spelt, { nil: undefined }),
    subject: fc.option(fc.constantFrom('17', '18'), { nil: undefined }),
    mode: fc.constantFrom('key' as const, 'iam' as const, 'iap' as const),
    key: fc.constantFrom('admin-key' as const, 'webhook-key' as const, undefined),
  });
  fc.assert(
    fc.property(scene, ({ lists, email, subject, mode, key }) => {
      fc.pre(email !== undefined || subject !== undefined);
      const rights = rightsOf({ name: '', email, subject, key }, mode, lists);
      const restricted = [...lists.reporters, ...lists.starters];
      const isListed = restricted.some(
        (one) => one === subject || one.toLowerCase() === email?.toLowerCase(),
      );
      if (isListed || key === 'webhook-key') expect(rights).not.toContain('decide');
      // Nobody decides who is in no list, where there is one and no key.
      if (rights.includes('decide') && key === undefined && lists.allowed.length > 0) {
        const able = [...lists.allowed, ...lists.page];
        expect(
          able.some((one) => one === subject || one.toLowerCase() === email?.toLowerCase()),
        ).toBe(true);
      }
    }),
    { numRuns: 2000 },
  );
});

describe('what may be asked for', () => {
  const plan = `sha256:${'a'.repeat(64)}`;
  test.each([
    { asked: {}, report: false, start: true },
    { asked: { sync_type: 'scheduled' }, report: false, start: true },
    { asked: { sync_type: 'membership', mode: 'full' }, report: false, start: true },
    { asked: { sync_type: undefined, plan: undefined }, report: false, start: true },
    { asked: { sync_type: 'manual' }, report: false, start: false },
    { asked: { external_ids: ['1'] }, report: true, start: false },
    { asked: { external_ids: ['1'], undo: undefined }, report: true, start: false },
    { asked: { external_ids: ['1'], release: true }, report: false, start: false },
    { asked: { external_ids: ['1'], plan }, report: false, start: false },
    { asked: { external_ids: ['1'], undo: 3 }, report: false, start: false },
    { asked: { external_ids: ['1'], sync_type: 'manual' }, report: false, start: false },
    { asked: { plan }, report: false, start: false },
    { asked: { plan, classes: ['additions'] }, report: false, start: false },
    { asked: { undo: 1 }, report: false, start: false },
    { asked: { mode: 'full', plan }, report: false, start: false },
    { asked: { something_new: 1 }, report: false, start: false },
  ])('$asked', ({ asked, report, start }) => {
    expect(mayAsk(['report'], asked)).toBe(report);
    expect(mayAsk(['start'], asked)).toBe(start);
    expect(mayAsk(['report', 'start'], asked)).toBe(report || start);
    expect(mayAsk(['decide'], asked)).toBe(true);
    expect(mayAsk([], asked)).toBe(false);
  });
});
