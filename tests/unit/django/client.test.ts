import { membersUrl } from '../../../lib/django/client.ts';
import { authorization } from '../../../lib/django/request.ts';

test.each([
  ['https://x.is', '/api/members', '/api/members', '/api/members/7'],
  ['https://x.is/', 'api/members/', '/api/members/', '/api/members/7'],
  ['https://x.is/base', 'members', '/base/members', '/base/members/7'],
  ['https://x.is/base//', '//members//', '/base/members//', '/base/members/7'],
  ['https://x.is/base?a=1#b', '/members', '/base/members', '/base/members/7'],
])('%s and %s are joined to %s', (base, path, list, member) => {
  const url = membersUrl(base, path);
  expect(url.origin).toBe('https://x.is');
  expect(url.listPath).toBe(list);
  expect(url.memberPath('7')).toBe(member);
});

test('a members path that looks like another host stays a path', () => {
  expect(membersUrl('https://x.is', '//evil.test/members').origin).toBe('https://x.is');
});

test('a query in the members path is kept apart', () => {
  const url = membersUrl('https://x.is', '/members?status=current&group=1');
  expect(url.listPath).toBe('/members');
  expect(url.query).toEqual([
    ['status', 'current'],
    ['group', '1'],
  ]);
});

test.each([
  ['a b?c#d', 'a%20b%3Fc%23d'],
  ['þórr', '%C3%BE%C3%B3rr'],
  ['%2e%2e', '%252e%252e'],
])('the id %j is encoded', (id, encoded) => {
  expect(membersUrl('https://x.is', '/m').memberPath(id)).toBe(`/m/${encoded}`);
});

test.each(['', '.', '..', 'a/b', 'a\\b', 'a\nb', '\ud800', '120160-3389', 'anna@example.is'])(
  'the id %j, which no server would find, is refused instead of being asked for',
  (id) => {
    expect(() => membersUrl('https://x.is', '/m').memberPath(id)).toThrow(
      expect.objectContaining({ code: 'invalid_request' }),
    );
  },
);

test('the key is put in its scheme, without the newline of a secret made with echo', () => {
  expect(authorization('Token', 'abc\n')).toBe('Token abc');
});

test.each(['', ' \n', 'a\nb', 'lykill-ð'])('the key %j fits in no header', (key) => {
  expect(() => authorization('Bearer', key)).toThrow(
    expect.objectContaining({
      code: 'django_unauthorized',
      message: expect.not.stringMatching(/lykill/),
    }),
  );
});

test('the scheme Basic takes user:password in UTF-8', () => {
  expect(authorization('Basic', 'sync:lykill ð:1\n')).toBe(
    `Basic ${Buffer.from('sync:lykill ð:1').toString('base64')}`,
  );
});

test.each(['', 'lykill', ':lykill', 'lykill:'])('the key %j is none of the scheme Basic', (key) => {
  expect(() => authorization('Basic', key)).toThrow(
    expect.objectContaining({
      code: 'django_unauthorized',
      message: expect.stringMatching(/user:password/),
    }),
  );
});
