import { isSignedIn, signedIn, signedOut } from '../../../functions/admin/session.ts';

const key = 'k'.repeat(40);
const now = Date.UTC(2026, 10, 26);
const hours = (count: number) => now + count * 3_600_000;
const cookieOf = (set: string) => set.split(';')[0] ?? '';
const cookie = cookieOf(signedIn(key, true, now));

test('who has given the key stays signed in for eight hours', () => {
  expect(isSignedIn(cookie, key, true, hours(7.99))).toBe(true);
  expect(isSignedIn(cookie, key, true, hours(8))).toBe(false);
  expect(isSignedIn(`other=1; ${cookie}; more=2`, key, true, now)).toBe(true);
});

test.each([
  { name: 'of another key', given: cookieOf(signedIn(`${key}x`, true, now)) },
  { name: 'that says a later end', given: cookie.replace(/=(\d)/, '=9') },
  {
    name: 'with another nonce',
    given: cookie.replace(/\.[0-9a-f]/, (dot) => (dot === '.0' ? '.1' : '.0')),
  },
  {
    name: 'with another signature',
    given: cookie.replace(/.$/, (end) => (end === '0' ? '1' : '0')),
  },
  { name: 'without its signature', given: cookie.replace(/\.[0-9a-f]*$/, '') },
  { name: 'of http, on https', given: cookieOf(signedIn(key, false, now)) },
  { name: 'given twice', given: `${cookie}; ${cookie}` },
  { name: 'that was signed out', given: cookieOf(signedOut(true)) },
  { name: 'that is none', given: undefined },
])('a cookie $name proves nothing', ({ given }) => {
  expect(isSignedIn(given, key, true, now)).toBe(false);
});

test('two sign-ins have different cookies, and only https has one that no http can set', () => {
  expect(signedIn(key, true, now)).not.toBe(signedIn(key, true, now));
  expect(signedIn(key, true, now)).toMatch(
    /^__Host-.*; Path=\/; HttpOnly; SameSite=Strict; Secure$/,
  );
  expect(signedIn(key, false, now)).toMatch(/^membership-sync=.*; HttpOnly; SameSite=Strict$/);
});
