import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Waits until it is so, and gives what the condition gave. Throws when it is not after so long that no test
 * waits for it on purpose, in ms.
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  what = 'what the test waits for',
  longest = 25_000,
): Promise<Exclude<T, false | undefined>> {
  const started = Date.now();
  for (;;) {
    const found = await condition();
    if (found !== false && found !== undefined) return found as Exclude<T, false | undefined>;
    const waited = Date.now() - started;
    if (waited > longest) throw new Error(`${what} did not happen within ${longest} ms`);
    await sleep(waited < 100 ? 2 : 20);
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
