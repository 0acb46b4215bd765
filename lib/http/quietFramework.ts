import { isError } from '../errors.ts';
import type { Log } from '../log.ts';
import { redact, redactedStack } from '../redact.ts';

const guarded = new WeakSet<object>();

/**
 * Express answers some requests before a function sees them, a body that is no JSON above all, and prints
 * the error with that body in it, whoever sent it and before anybody asked for a key. What goes to
 * console.error is told here without it. Nothing else of the framework can be reached from a function.
 */
export function quietFramework(log: Log, target: Pick<Console, 'error'> = console): void {
  if (guarded.has(target)) return;
  guarded.add(target);
  const print = target.error.bind(target);
  target.error = (...given: unknown[]) => {
    const errors = given.filter(isError);
    if (errors.length === 0) {
      print(...given.map((one) => (typeof one === 'string' ? redact(one) : one)));
    }
    for (const error of errors) report(log, error);
  };
}

function report(log: Log, error: Error): void {
  const { statusCode, type } = error as { statusCode?: unknown; type?: unknown };
  if (typeof statusCode !== 'number' || statusCode >= 500) {
    return void log('ERROR', 'console_error', redactedStack(error));
  }
  // The message may quote the body or the path; the type is one of body-parser's own words.
  const reason = typeof type === 'string' ? type : error.name;
  log('WARNING', 'refused_by_framework', `The framework answered ${statusCode}: ${reason}`, {
    status: statusCode,
  });
}
