/** At most so many tasks at once; the others wait their turn in order. */
export interface Limiter {
  run<T>(task: () => Promise<T>): Promise<T>;
  /** From now on one task at a time: what a throttled register needs, else parallel retries starve each other. */
  narrow(): void;
}

export function createLimiter(concurrency: number): Limiter {
  const waiting: (() => void)[] = [];
  let allowed = concurrency;
  let running = 0;

  const startNext = () => {
    if (running >= allowed) return;
    const start = waiting.shift();
    if (!start) return;
    running += 1;
    start();
  };

  return {
    async run(task) {
      const turn = new Promise<void>((resolve) => waiting.push(resolve));
      startNext();
      await turn;
      try {
        return await task();
      } finally {
        running -= 1;
        startNext();
      }
    },
    narrow() {
      allowed = 1;
    },
  };
}
