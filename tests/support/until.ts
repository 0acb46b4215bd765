import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until it is so; throws when it is not after ten seconds. */
export async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('it did not happen within ten seconds');
    await sleep(20);
  }
}
