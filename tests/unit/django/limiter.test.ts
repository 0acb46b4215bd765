import { setTimeout as delay } from 'node:timers/promises';
import { createLimiter } from '../../../lib/django/limiter.ts';

async function mostAtOnce(limiter: ReturnType<typeof createLimiter>, tasks: number) {
  let running = 0;
  let most = 0;
  const order: number[] = [];
  await Promise.all(
    Array.from({ length: tasks }, (_, index) =>
      limiter.run(async () => {
        running += 1;
        most = Math.max(most, running);
        order.push(index);
        await delay(2);
        running -= 1;
      }),
    ),
  );
  return { most, order };
}

test('no more than the limit run at once, in the order in which they came', async () => {
  const { most, order } = await mostAtOnce(createLimiter(3), 10);
  expect(most).toBe(3);
  expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test('after narrowing, one at a time', async () => {
  const limiter = createLimiter(3);
  limiter.narrow();
  expect((await mostAtOnce(limiter, 5)).most).toBe(1);
});

test('a task that fails gives its place to the next', async () => {
  const limiter = createLimiter(1);
  await expect(limiter.run(() => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
  await expect(limiter.run(async () => 'done')).resolves.toBe('done');
});
