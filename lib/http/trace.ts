import type { LogFields } from '../log.ts';

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
