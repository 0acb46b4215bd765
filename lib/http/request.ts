import type { Request } from '@google-cloud/functions-framework';
import { SyncError } from '../errors.ts';
import type { Route } from './routes.ts';

/** No request of ours needs more; the framework would read up to a gigabyte. */
const LARGEST_BODY = 64 * 1024;

/** Refuses what is not for this function: throws SyncError not_found, method_not_allowed or payload_too_large. */
export function checkRequest(
  request: Pick<Request, 'path' | 'method' | 'headers' | 'rawBody'>,
  { name, path, methods }: Route,
): void {
  if (!['', `/${name}`, path].includes(request.path.replace(/\/$/, ''))) {
    throw new SyncError('not_found', `There is nothing at this path; ask for ${path}.`);
  }
  if (!methods.includes(request.method)) {
    throw new SyncError('method_not_allowed', `Use ${methods.join(' or ')}.`);
  }
  const size = Math.max(Number(request.headers['content-length'] ?? 0), bodySize(request.rawBody));
  if (size > LARGEST_BODY) throw tooLarge();
}

const tooLarge = () =>
  new SyncError('payload_too_large', `The body may have at most ${LARGEST_BODY} bytes.`);

const bodySize = (body: Buffer | undefined) => body?.length ?? 0;

type Received = Pick<Request, 'query' | 'body' | 'rawBody' | 'headers'>;

/**
 * The request with its body read. The framework leaves a body without Content-Type on the wire;
 * to answer as if there were none would silently drop what the caller asked for. Throws SyncError
 * payload_too_large, or invalid_request when the body does not come to its end.
 */
export async function receive(request: Request): Promise<Received> {
  const { query, headers, body, rawBody } = request;
  const isUnread = headers['content-type'] === undefined && body === undefined;
  const rest = isUnread ? await readAll(request) : undefined;
  if (!rest) return { query, headers, body, ...(rawBody && { rawBody }) };
  return { query, headers, body: rest, rawBody: rest };
}

async function readAll(request: Request): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    // The answer still has to go out on this connection.
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      size += (chunk as Buffer).length;
      if (size > LARGEST_BODY) break;
      chunks.push(chunk as Buffer);
    }
  } catch (cause) {
    throw new SyncError('invalid_request', 'The body ended too early.', { cause });
  }
  if (size > LARGEST_BODY) throw tooLarge();
  return Buffer.concat(chunks);
}

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
