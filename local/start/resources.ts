/** What has been started, to be stopped in the opposite order. */
export interface Resources {
  /** What is added after stopAll() was called is stopped at once. */
  add(stop: () => Promise<void>): void;
  /** Stops everything, once; a part that fails to stop does not keep the others from it. */
  stopAll(): Promise<void>;
}

export function createResources(): Resources {
  const stops: (() => Promise<void>)[] = [];
  let stopping: Promise<void> | undefined;
  const stopInOrder = async () => {
    for (let stop = stops.pop(); stop; stop = stops.pop()) {
      await stop().catch((error) => console.error(error));
    }
  };
  return {
    add: (stop) => {
      if (stopping) {
        void stop();
      } else stops.push(stop);
    },
    stopAll: () => {
      stopping ??= stopInOrder();
      return stopping;
    },
  };
}

/**
 * Ctrl-C, SIGTERM and a closed terminal stop everything and end the process; a second one ends it
 * at once (what is left then ends by itself, see postgres/guard.sh and serveFunction.ts). `asked` says
 * whether one came: what fails from then on fails because its parts are being stopped.
 */
export function stopOnSignals(resources: Resources, exitCode: () => number) {
  let asked = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, async () => {
      if (asked) process.exit(130);
      asked = true;
      await resources.stopAll();
      process.exit(exitCode());
    });
  }
  return { asked: () => asked };
}
