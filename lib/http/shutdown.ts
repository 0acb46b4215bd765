import { SyncError } from '../errors.ts';
import { createLog } from '../log.ts';
import { redactedStack } from '../redact.ts';

/** Less than the ten seconds that the platform leaves between SIGTERM and SIGKILL. */
const GRACE_MS = 8_000;

export interface Shutdown {
  /** Aborted, with a SyncError `interrupted`, as soon as the platform stops the instance. */
  signal: AbortSignal;
  /** Counts a request as in flight until the returned function is called. */
  enter(): () => void;
}

type Host = Pick<NodeJS.Process, 'removeAllListeners' | 'once' | 'on'> & {
  exit(code: number): void;
};

/**
 * Takes over how the process ends, when the first request comes. The framework's own SIGTERM handler answers
 * 500 and exits at once. Ours aborts a signal: requests in flight have up to eight seconds to roll back, close
 * their log row and answer. An idle instance exits at once. A rejection that nobody handled is logged and no
 * longer ends the process. An exception that nobody caught still does, but the framework would log it
 * unredacted and show it to the caller.
 */
export function createShutdown(
  host: Host = process,
  { graceMs = GRACE_MS, log = createLog('NOTICE') } = {},
): Shutdown {
  const controller = new AbortController();
  let inFlight = 0;
  let adopted = false;
  let onIdle = () => {};

  const drain = () => {
    controller.abort(new SyncError('interrupted', 'The instance is being stopped. Try again.'));
    onIdle = () => host.exit(0);
    if (inFlight === 0) return onIdle();
    log('NOTICE', 'shutdown', 'The instance is being stopped', { requests_in_flight: inFlight });
    setTimeout(() => {
      log('ERROR', 'shutdown_incomplete', 'A request did not end in time', { grace_ms: graceMs });
      host.exit(0);
    }, graceMs);
  };
  const adopt = () => {
    adopted = true;
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      host.removeAllListeners(signal);
      host.once(signal, drain);
    }
    host.removeAllListeners('unhandledRejection');
    host.on('unhandledRejection', reportRejection);
    host.removeAllListeners('uncaughtException');
    host.on('uncaughtException', (error) => {
      createLog('CRITICAL')('CRITICAL', 'uncaught_exception', redactedStack(error));
      host.exit(1);
    });
  };

  return {
    signal: controller.signal,
    enter() {
      if (!adopted) adopt();
      inFlight += 1;
      return () => {
        inFlight -= 1;
        if (inFlight === 0) onIdle();
      };
    },
  };
}

/** Logs a rejection that nobody handled; with this listener it does not end the process. */
function reportRejection(reason: unknown): void {
  createLog('ERROR')('ERROR', 'unhandled_rejection', redactedStack(reason));
}

let shared: Shutdown | undefined;

/** The one of this process, made on first use. */
export function processShutdown(): Shutdown {
  shared ??= createShutdown();
  return shared;
}
