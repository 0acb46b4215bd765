import { watchAll } from '../../esbuild.config.ts';

const SETTLE_MS = 200;

/**
 * Calls back after every rebuild of the functions, once for a save that changes several of them. The promise
 * resolves when everything is watched.
 */
export async function onRebuild(restart: () => Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  // One restart after the other. The last one runs what is on the disk then.
  let restarts = Promise.resolve();
  const settle = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      restarts = restarts.then(restart).catch((error) => console.error(error));
    }, SETTLE_MS);
  };
  await watchAll(settle);
}
