/**
 * Runs a task for each item, at most `concurrency` at once, and yields the results as they come.
 * A slow consumer holds it back: results that wait to be taken count as running, so there are
 * never more than `concurrency` of both together, besides the one being consumed. The first
 * failure is thrown at once; the caller stops the tasks that still run.
 */
export async function* asTheyArrive<I, T>(
  items: Iterable<I>,
  concurrency: number,
  task: (item: I) => Promise<T>,
): AsyncGenerator<T> {
  const running = new Map<number, Promise<{ key: number; result: T }>>();
  const left = items[Symbol.iterator]();
  let started = 0;

  const fill = () => {
    while (running.size < concurrency) {
      const next = left.next();
      if (next.done) return;
      const key = started++;
      const promise = task(next.value).then((result) => ({ key, result }));
      // A failure that nobody waits for yet is seen by the next race, it is not unhandled.
      promise.catch(() => {});
      running.set(key, promise);
    }
  };

  fill();
  while (running.size > 0) {
    const { key, result } = await Promise.race(running.values());
    running.delete(key);
    fill();
    yield result;
  }
}
