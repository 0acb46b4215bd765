import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Waits until it is so, and gives what the condition gave; throws when it is not after twenty seconds,
 * which no test waits for on purpose.
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  what = 'what the test waits for',
): Promise<Exclude<T, false | undefined>> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const found = await condition();
    if (found !== false && found !== undefined) return found as Exclude<T, false | undefined>;
    if (Date.now() > deadline) throw new Error(`${what} did not happen within twenty seconds`);
    await sleep(20);
  }
}

/** Whether something takes connections at this port of 127.0.0.1. */
export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
