import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, Server } from 'node:http';
import { format } from 'node:util';
import { isError } from '../errors.ts';
import type { Log } from '../log.ts';
import { redact, redactedStack } from '../redact.ts';
import { arrival, keepArrival } from './request.ts';

const quieted = new WeakSet<object>();

/**
 * Leaves the framework nothing to answer or to print. Express reads and inflates a body of any size before a
 * function sees the request. It answers what it cannot parse with HTML, outside of production with a stack.
 * So each request is shown to it without body and path. What goes to console.error all the same is logged
 * without a member's data.
 */
export function quietFramework(log: Log, target: Pick<Console, 'error'> = console): void {
  if (quieted.has(target)) return;
  quieted.add(target);
  target.error = (...given: unknown[]) => {
    const errors = given.filter(isError);
    const text =
      errors.length > 0 ? errors.map(redactedStack).join('\n') : redact(format(...given));
    log('ERROR', 'console_error', text);
  };
  subscribe('http.server.request.start', hideFromFramework);
}

// Node.js publishes this before the framework's server handles the request.
function hideFromFramework(message: unknown): void {
  const { request, server } = message as { request: IncomingMessage; server: Server };
  if (arrival in request || !isFrameworks(server)) return;
  keepArrival(request);
  const { url = '/', headers } = request;
  // By these two Express knows that there is a body. Node.js itself does not look at them again.
  delete headers['content-length'];
  delete headers['transfer-encoding'];
  request.url = `/${/\?.*/s.exec(url)?.[0] ?? ''}`;
}

// In a process of tests there are other servers, whose requests are no business of ours.
const isFrameworks = (server: Server) =>
  server.listeners('request').some((listener) => 'mountpath' in listener);

/**
 * Leaves the domain in which the framework runs a request. An exception that nobody caught would be answered with
 * its message there, and the run would go on; so it ends the process (shutdown.ts). And the hooks of a domain on every
 * promise were a sixth of the function's CPU in a walk.
 */
export function leaveDomain(): void {
  (process as { domain?: { exit(): void } | null }).domain?.exit();
}
