import { isError } from './errors.ts';
import { redactedMessage } from './redact.ts';

/** Everything that is logged, under the name that docs/OPERATIONS.md explains. A test compares the two. */
export const logEvents = [
  // The process and its requests.
  'request',
  'config_invalid',
  'secret_fetched',
  'secret_not_refreshed',
  'token_refused',
  'certificates_unavailable',
  'console_error',
  'unhandled_rejection',
  'uncaught_exception',
  'shutdown',
  'shutdown_incomplete',
  // A run.
  'sync_started',
  'sync_completed',
  'sync_held',
  'sync_set_aside',
  'sync_refused',
  'sync_failed',
  'sync_answer_lost',
  'run_abandoned',
  'dead_session_ended',
  'schema_open',
  'run_left_pending',
  'plan_approved',
  'plan_outdated',
  'prune_failed',
  'stamp_postponed',
  // The register.
  'django_retry',
  'register_open',
  'undo_applied',
  'walk_repeated',
  'records_excluded',
  'record_warning',
  // The admin's page, and looks at people.
  'admin_signed_in',
  'admin_acted',
  'admin_refused',
  'member_read',
  'members_read',
  // Notifications.
  'notification_failed',
  'notifications_postponed',
] as const;
export type LogEvent = (typeof logEvents)[number];

export type Severity = 'DEBUG' | 'INFO' | 'NOTICE' | 'WARNING' | 'ERROR' | 'CRITICAL';
export type LogFields = Record<string, unknown>;

/** Writes one event. Fields must not hold personal data: name a member by its Django id only. */
export interface Log {
  (severity: Severity, event: LogEvent, message: string, fields?: LogFields): void;
  /** The same log with these fields on every event. */
  with(fields: LogFields): Log;
}

const order: Severity[] = ['DEBUG', 'INFO', 'NOTICE', 'WARNING', 'ERROR', 'CRITICAL'];

/** The level that a word names, or INFO. For a function that starts even where the configuration is broken. */
export const levelOf = (word: string | undefined): Severity =>
  order.find((level) => level === word?.trim().toUpperCase()) ?? 'INFO';

/** Cloud Logging refuses entries above 256 KiB; a line longer than this loses its fields. */
const LONGEST_LINE = 200_000;

/**
 * A log that writes one JSON object a line. Severity, message and time are special keys of Cloud Logging.
 * Each line is one write: the functions framework makes plain text of two objects that are written together.
 * Logging never throws.
 */
export function createLog(
  level: Severity,
  write: (line: string) => void = (line) => process.stdout.write(line),
  common: LogFields = {},
): Log {
  const log = (severity: Severity, event: LogEvent, message: string, fields: LogFields = {}) => {
    if (order.indexOf(severity) < order.indexOf(level)) return;
    const reserved = { severity, message, event, time: new Date().toISOString() };
    write(`${serialise({ ...reserved, ...common, ...fields, ...reserved }, reserved)}\n`);
  };
  return Object.assign(log, {
    with: (more: LogFields) => createLog(level, write, { ...common, ...more }),
  });
}

function serialise(entry: LogFields, reserved: LogFields): string {
  try {
    const line = JSON.stringify(entry, readable);
    if (line.length <= LONGEST_LINE) return line;
  } catch {
    // A field that refers to itself, or whose toJSON throws.
  }
  const message = String(reserved['message']).slice(0, LONGEST_LINE / 4);
  return JSON.stringify({ ...reserved, message, fields_dropped: true });
}

// What JSON cannot hold: bigint throws, and an Error would become {}.
function readable(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (isError(value)) return { name: value.name, message: redactedMessage(value) };
  return value;
}

type Headers = Record<string, string | string[] | undefined>;

/**
 * The special fields that tie a log line to its request in Cloud Logging, read from `traceparent`
 * or else `X-Cloud-Trace-Context`. Empty without a project, because a trace is named under one.
 */
export function traceFields(headers: Headers, project: string): LogFields {
  const trace = parseTraceparent(headers['traceparent']) ?? parseCloud(headers[cloudHeader]);
  if (!trace || !project || /^0+$/.test(trace.id)) return {};
  return {
    'logging.googleapis.com/trace': `projects/${project}/traces/${trace.id}`,
    'logging.googleapis.com/spanId': trace.span,
    'logging.googleapis.com/trace_sampled': trace.sampled,
  };
}

const cloudHeader = 'x-cloud-trace-context';

interface Trace {
  id: string;
  /** 16 hex digits, the form that Cloud Logging wants; the framework would write the decimal one. */
  span: string;
  sampled: boolean;
}

function parseTraceparent(header: unknown): Trace | undefined {
  const match = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})/.exec(String(header));
  if (!match) return undefined;
  const [, id = '', span = '', flags = ''] = match;
  return { id, span, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

function parseCloud(header: unknown): Trace | undefined {
  const match = /^([0-9a-f]{32})\/([0-9]{1,20})(?:;o=([01]))?$/i.exec(String(header));
  if (!match) return undefined;
  const [, id = '', span = '', sampled] = match;
  return {
    id: id.toLowerCase(),
    span: BigInt.asUintN(64, BigInt(span)).toString(16).padStart(16, '0'),
    sampled: sampled === '1',
  };
}
