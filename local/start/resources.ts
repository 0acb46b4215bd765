/** What has been started, to be stopped in the opposite order. */
export interface Resources {
  /** What is added after stopAll() was called is stopped at once. */
  add(stop: () => Promise<void>): void;
  /** Stops everything, once. A part that fails to stop does not keep the others from it. */
  stopAll(): Promise<void>;
  /** Whether stopAll() was called: what fails from then on fails because its parts are being stopped. */
  stopping(): boolean;
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
      stops.push(stop);
      if (stopping) void stopInOrder();
    },
    stopAll: () => {
      stopping ??= stopInOrder();
      return stopping;
    },
    stopping: () => stopping !== undefined,
  };
}

// A Ctrl-C comes twice: from the terminal, and from npm, which passes its own on.
const SAME_SIGNAL_MS = 1000;

/**
 * Ctrl-C, SIGTERM, a closed terminal and a closed pipe (`npm start | head`) stop everything and end the
 * process. A second Ctrl-C ends it at once; postgres/cleanUp.sh and serveFunction.ts then end what is left.
 */
export function stopOnSignals(resources: Resources, exitCode: () => number) {
  let askedAt: number | undefined;
  const stop = async () => {
    if (askedAt !== undefined) {
      if (Date.now() - askedAt > SAME_SIGNAL_MS) process.exit(130);
      return;
    }
    askedAt = Date.now();
    const code = exitCode();
    await resources.stopAll();
    // A terminal has echoed ^C into the line.
    console.log(process.stdout.isTTY ? '\nStopped.' : 'Stopped.');
    process.exit(code);
  };
  // Until now it was preload.mjs that listened.
  process.removeAllListeners('SIGINT');
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  // Without a listener a closed pipe is an uncaught EPIPE, with its stack.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', stop);
  return { asked: () => askedAt !== undefined };
}
