import { parseRetryAfter, retryWaitMs } from '../../../lib/django/retryTiming.ts';

const now = new Date('2026-05-01T12:00:00Z');

test.each([
  [undefined, undefined],
  ['', undefined],
  ['soon', undefined],
  ['-1', undefined],
  ['0', 0],
  [' 7 ', 7000],
  ['1.5', 1500],
  ['99999', 99_999_000],
  ['Fri, 01 May 2026 12:00:09 GMT', 9000],
  ['Fri, 01 May 2026 11:00:00 GMT', 0],
])('Retry-After %j means %j ms', (header, expected) => {
  expect(parseRetryAfter(header, now)).toBe(expected);
});

const wait = (number: number, random: number, retryAfterMs?: number) =>
  retryWaitMs({ number, random, retryAfterMs, baseMs: 500 });

test('the pause doubles with each attempt', () => {
  expect([1, 2, 3, 4].map((number) => wait(number, 1))).toEqual([500, 1000, 2000, 4000]);
});

test('jitter takes off up to half of it', () => {
  expect([0, 0.5, 1].map((random) => wait(1, random))).toEqual([250, 375, 500]);
});

test('it never exceeds half a minute', () => expect(wait(20, 1)).toBe(30_000));

test('it comes on top of what the register asked for, which was rounded down', () => {
  expect(wait(1, 1, 2000)).toBe(2500);
});

test('a register that asks for more than a minute is not waited for', () => {
  expect(wait(1, 1, 60_000)).toBe(60_500);
  expect(wait(1, 1, 60_001)).toBeUndefined();
});
