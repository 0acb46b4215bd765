import { watchAll } from '../../esbuild.config.ts';

const SETTLE_MS = 200;

/** Calls back after every rebuild of the functions, once for a save that changes several of them. */
export async function onRebuild(restart: () => Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  // One restart after the other: the last one runs what is on the disk then.
  let restarts = Promise.resolve();
  let initial = true;
  const settle = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      // The first build under watch is what runs already.
      if (!initial) restarts = restarts.then(restart).catch((error) => console.error(error));
      initial = false;
    }, SETTLE_MS);
  };
  await watchAll(settle);
}
