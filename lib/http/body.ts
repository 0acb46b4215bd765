import type { Request } from '@google-cloud/functions-framework';
import { SyncError } from '../errors.ts';

interface Body {
  values: Record<string, unknown>;
  /** From a form, where everything is a string. */
  textual: boolean;
}

/**
 * The object in a body. No body, an empty one, and JSON under any content type are all understood:
 * Cloud Scheduler sends octet-stream unless told otherwise, and `curl -d` claims to send a form.
 * The framework has parsed JSON and forms before us, and answers JSON that does not parse itself.
 * Throws SyncError invalid_request.
 */
export function readBody(
  { body, rawBody, headers }: Pick<Request, 'body' | 'rawBody' | 'headers'>,
  { pubsub }: { pubsub: boolean },
): Body {
  const isForm = /^application\/x-www-form-urlencoded\b/i.test(headers['content-type'] ?? '');
  if (isForm && !/^\s*\{/.test(String(rawBody ?? ''))) {
    return { values: asObject(body ?? {}), textual: true };
  }
  const parsed = isForm || typeof body === 'string' || Buffer.isBuffer(body);
  const values = asObject(parsed ? parseJson(rawBody ?? Buffer.from(body)) : (body ?? {}));
  return { values: pubsub && isEnvelope(values) ? unwrap(values.message) : values, textual: false };
}

interface Envelope extends Record<string, unknown> {
  message: Record<string, unknown>;
}

// The body of a Pub/Sub push: {"message":{"data":"<base64>",…},"subscription":"projects/…"}.
const isEnvelope = (values: Record<string, unknown>): values is Envelope =>
  typeof values['subscription'] === 'string' && isObject(values['message']);

function unwrap({ data }: Record<string, unknown>): Record<string, unknown> {
  if (data === undefined || data === '') return {};
  if (typeof data !== 'string' || !/^[A-Za-z0-9+/]*={0,2}$/.test(data)) {
    throw new SyncError('invalid_request', 'message.data must be base64.');
  }
  return asObject(parseJson(Buffer.from(data, 'base64')));
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes).trim();
    return text === '' ? {} : JSON.parse(text);
  } catch {
    throw new SyncError('invalid_request', 'The body must be JSON.');
  }
}

function asObject(value: unknown): Record<string, unknown> {
  if (isObject(value)) return value;
  throw new SyncError('invalid_request', 'The body must be a JSON object.');
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
