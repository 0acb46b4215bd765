import { setTimeout as delay } from 'node:timers/promises';
import { asTheyArrive } from '../../../lib/django/asTheyArrive.ts';

test('results come as they arrive, not in order', async () => {
  const results: number[] = [];
  const pages = asTheyArrive([60, 1, 30], 3, async (ms) => {
    await delay(ms);
    return ms;
  });
  for await (const result of pages) results.push(result);
  expect(results).toEqual([1, 30, 60]);
});

test('at most so many run at once, and a consumer that stops taking holds it back', async () => {
  let started = 0;
  const pages = asTheyArrive(Array.from({ length: 100 }), 3, async () => ++started);
  await pages.next();
  await delay(20);
  expect(started).toBe(4);
  await pages.next();
  await delay(20);
  expect(started).toBe(5);
});

test('the first failure is thrown at once, while others still run', async () => {
  const pages = asTheyArrive([10_000, 1], 2, async (ms) => {
    if (ms === 1) throw new Error('failed');
    await delay(ms, undefined, { ref: false });
  });
  await expect(pages.next()).rejects.toThrow('failed');
});

test('a failure that comes while the consumer is busy is kept for it', async () => {
  const pages = asTheyArrive([1, 2], 2, async (item) => {
    if (item === 2) throw new Error('failed');
    return item;
  });
  await pages.next();
  await delay(20);
  await expect(pages.next()).rejects.toThrow('failed');
});
