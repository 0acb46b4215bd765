import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, Server } from 'node:http';
import { format } from 'node:util';
import type { HttpFunction, Request, Response } from '@google-cloud/functions-framework';
import { toSyncError } from '../databaseErrors.ts';
import { isError, SyncError, statusOf } from '../errors.ts';
import { createLog, type Log, type LogFields, type Severity, traceFields } from '../log.ts';
import { redact, redactedStack } from '../redact.ts';
import { type Answer, errorBody, sendAnswer } from './answer.ts';
import type { Route } from './request.ts';
import { checkRequest, hideFromFramework, readBody } from './request.ts';
import { processShutdown, type Shutdown } from './shutdown.ts';

/** One request being answered. */
export interface Incoming {
  request: Request;
  /** Of at most 64 KiB. */
  body: Buffer;
  log: Log;
  /** Aborted with a SyncError: `interrupted` when the instance stops, `deadline_exceeded` when time is up. */
  signal: AbortSignal;
  /** When `deadline_exceeded` comes. */
  deadline: Date;
  /** Adds fields to the line that is logged for this request. */
  note(fields: LogFields): void;
}

/** A function behind its route. */
export interface Service extends Route {
  level?: Severity;
  /** The project under which traces are named. */
  project?: string;
  /** The platform's timeout for this function. */
  timeoutSeconds?: number;
  shutdown?: Shutdown;
  handle(incoming: Incoming): Promise<Answer>;
  /** How an error is answered; as JSON when left out. */
  present?(error: SyncError, status: number, request: Request): Answer;
}

/**
 * A handler for the functions framework that always answers. Path, method and body are checked first.
 * Whatever is thrown becomes an answer in one place, as JSON unless the service presents it. Every request is one line in the log. The
 * instance can be stopped without losing a request. Configuration, callers and parameters are the business
 * of endpoint.ts.
 */
export function serve(service: Service): HttpFunction {
  const { project = '', timeoutSeconds = 60, level = 'INFO' } = service;
  const serverLog = createLog(level);
  quietFramework(serverLog.with({ route: service.name }));

  return async (request: Request, response: Response): Promise<void> => {
    leaveDomain();
    const shutdown = service.shutdown ?? processShutdown();
    const leave = shutdown.enter();
    const started = performance.now();
    const log = serverLog.with({ route: service.name, ...traceFields(request.headers, project) });
    const limit = startDeadline(timeoutSeconds);
    const signal = AbortSignal.any([shutdown.signal, limit.signal]);
    const notes: LogFields = { method: request.method };
    const note = (fields: LogFields) => Object.assign(notes, fields);

    try {
      signal.throwIfAborted();
      const work = async () => {
        checkRequest(request, service);
        const body = await readBody(request);
        return service.handle({ request, body, log, signal, deadline: limit.deadline, note });
      };
      const answer = await untilStopped(work(), signal, limit.graceMs);
      const status = answer.status ?? 200;
      sendAnswer(request, response, answer);
      logRequest(log, started, status, notes);
    } catch (thrown) {
      const error = toSyncError(thrown, signal);
      const status = statusOf[error.code];
      if (error.code === 'unauthorized') response.set('WWW-Authenticate', 'Bearer');
      if (error.code === 'request_timeout') response.set('Connection', 'close');
      if (error.code === 'method_not_allowed') response.set('Allow', service.methods.join(', '));
      sendAnswer(request, response, presented(service, error, status, request, log));
      logRequest(log, started, status, notes, error);
    } finally {
      limit.stop();
      await sent(response);
      leave();
      dropRest(request);
    }
  };
}

// A page that cannot even say what went wrong must not leave its visitor without an answer.
function presented(
  { present }: Service,
  error: SyncError,
  status: number,
  request: Request,
  log: Log,
): Answer {
  const plain = { status, body: errorBody(error) };
  try {
    return present?.(error, status, request) ?? plain;
  } catch (thrown) {
    log('ERROR', 'request', redactedStack(thrown), reportedError);
    return plain;
  }
}

// A part of the platform's timeout is kept back: time to roll back, to close the log row and to answer.
function startDeadline(timeoutSeconds: number) {
  const reserve = Math.min(15, timeoutSeconds / 4);
  const milliseconds = 1000 * (timeoutSeconds - reserve);
  const controller = new AbortController();
  const stop = () => controller.abort(deadlineExceeded(milliseconds));
  const timer = setTimeout(stop, milliseconds).unref();
  return {
    signal: controller.signal,
    deadline: new Date(Date.now() + milliseconds),
    // Most of it, and less than a stopped instance has (shutdown.ts).
    graceMs: Math.min(6000, 600 * reserve),
    stop: () => clearTimeout(timer),
  };
}

const deadlineExceeded = (milliseconds: number) =>
  new SyncError(
    'deadline_exceeded',
    `Not finished within ${milliseconds / 1000} seconds, and so stopped before the platform would.`,
  );

/** How long the rest of an unread body may take, in ms. Its sender can read the answer meanwhile. */
const LINGER_MS = 2_000;

function dropRest(request: Request): void {
  if (request.complete) return;
  setTimeout(() => request.complete || request.socket.destroy(), LINGER_MS).unref();
}

// Whatever hangs, the caller gets an answer. After the signal has aborted, the work has a while to end. Then it
// is left to itself.
function untilStopped<T>(work: Promise<T>, signal: AbortSignal, graceMs: number): Promise<T> {
  const { promise: left, reject } = Promise.withResolvers<never>();
  let timer: NodeJS.Timeout | undefined;
  const leave = () => {
    timer = setTimeout(() => reject(signal.reason), graceMs);
  };
  signal.addEventListener('abort', leave, { once: true });
  return Promise.race([work, left]).finally(() => {
    clearTimeout(timer);
    signal.removeEventListener('abort', leave);
  });
}

// 'close' also comes when the caller has gone before the answer.
const sent = (response: Response) =>
  response.writableFinished || response.destroyed
    ? undefined
    : new Promise<void>((resolve) => response.once('close', resolve));

function logRequest(
  log: Log,
  started: number,
  status: number,
  notes: LogFields,
  error?: SyncError,
): void {
  const fields: LogFields = {
    ...notes,
    status,
    duration_ms: Math.round(performance.now() - started),
  };
  if (!error) return void log('INFO', 'request', `Answered ${status}`, fields);
  fields['error_code'] = error.code;
  if (error.runId !== undefined) fields['run_id'] = error.runId;
  if (error.code === 'internal_error') {
    const stack = redactedStack(error.cause ?? error);
    return void log('ERROR', 'request', stack, { ...fields, ...reportedError });
  }
  if (error.cause !== undefined) fields['cause'] = redactedStack(error.cause);
  log(status >= 500 ? 'ERROR' : 'WARNING', 'request', error.message, fields);
}

// The shape that Error Reporting picks up.
const reportedError = {
  '@type': 'type.googleapis.com/google.devtools.clouderrorreporting.v1beta1.ReportedErrorEvent',
  serviceContext: { service: 'membership-sync' },
};

const quieted = new WeakSet<object>();

/**
 * Leaves the framework nothing to answer or to print: outside of production it would do so with a stack. What goes to
 * console.error all the same is logged without a member's data.
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
  // Node.js publishes this before the framework's server handles the request.
  subscribe('http.server.request.start', (message) => {
    const { request, server } = message as { request: IncomingMessage; server: Server };
    if (isFrameworks(server)) hideFromFramework(request);
  });
}

// In a process of tests there are other servers, whose requests are no business of ours.
const isFrameworks = (server: Server) =>
  server.listeners('request').some((listener) => 'mountpath' in listener);

/**
 * Leaves the domain in which the framework runs a request. An exception that nobody caught would be answered with
 * its message there, and the run would go on; so it ends the process (shutdown.ts). And the hooks of a domain on every
 * promise were a sixth of the function's CPU in a walk.
 */
function leaveDomain(): void {
  (process as { domain?: { exit(): void } | null }).domain?.exit();
}
