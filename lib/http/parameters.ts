import type { Request } from '@google-cloud/functions-framework';
import type * as z from 'zod/mini';
import { en } from 'zod/v4/locales';
import { SyncError } from '../errors.ts';

type Values = Record<string, unknown>;
type Shape = Record<string, z.core.$ZodType>;

/** Where parameters are. */
export interface Given extends Pick<Request, 'query' | 'headers'> {
  body: Uint8Array;
}

// zod/mini comes without words. Those of zod's own English never repeat a value.
const words = { error: en().localeError };

/**
 * The parameters of a request, from its query string and its body, checked against the schema.
 * JSON keeps its types strictly. The strings of a query become numbers and booleans where the
 * schema wants those. Throws SyncError invalid_request, which names every wrong field.
 */
export function readParameters<P extends z.ZodMiniType>(
  given: Given,
  schema: P,
  { pubsub = false, bodyOnly = [] }: { pubsub?: boolean; bodyOnly?: readonly string[] } = {},
): z.output<P> {
  const shape = shapeOf(schema);
  const fromBody = isForm(given)
    ? coerce(formValues(given.body), shape)
    : jsonValues(given.body, shape, pubsub);
  const fromQuery = coerce(given.query, shape);
  const exposed = bodyOnly.filter((name) => Object.hasOwn(fromQuery, name));
  if (exposed.length > 0) throw invalid([`${names(exposed)} taken in the body of a POST only`]);
  const twice = Object.keys(fromQuery).filter((name) => Object.hasOwn(fromBody, name));
  if (twice.length > 0) throw invalid([`${names(twice)} given in the query and in the body`]);

  const result = schema.safeParse({ ...fromQuery, ...fromBody }, words);
  if (result.success) return result.data;
  throw invalid(result.error.issues.map(explain));
}

// JSON is understood under any type, so that no body is ignored. Cloud Scheduler sends octet-stream by default,
// proxies garble the header, and `curl -d` claims to send a form.
const isForm = ({ headers, body }: Given) =>
  /^application\/x-www-form-urlencoded\b/i.test(headers['content-type'] ?? '') &&
  !/^\s*\{/.test(decode(body));

function formValues(body: Uint8Array): Values {
  const form = new URLSearchParams(decode(body));
  return Object.fromEntries(
    [...form.keys()].map((name) => {
      const values = form.getAll(name);
      return [name, values.length > 1 ? values : values[0]];
    }),
  );
}

function jsonValues(body: Uint8Array, shape: Shape, pubsub: boolean): Values {
  const values = parseObject(body);
  const message = pubsub ? messageIn(values) : undefined;
  if (!message) return values;
  // The envelope is Pub/Sub's, which may add to it; a parameter of ours is never passed over.
  const beside = Object.keys(values).filter((name) => Object.hasOwn(shape, name));
  if (beside.length > 0) throw invalid([`${names(beside)} beside the message of a Pub/Sub push`]);
  return parseObject(message);
}

// The message in the body of a Pub/Sub push, which is an envelope around it:
// {"message":{"data":"<base64>",…},"subscription":"projects/…"}. undefined for a body that is none. Throws
// SyncError invalid_request for data that is no base64.
function messageIn(body: Values): Buffer | undefined {
  const { subscription, message } = body;
  if (typeof subscription !== 'string' || typeof message !== 'object' || message === null) {
    return undefined;
  }
  const { data = '' } = message as { data?: unknown };
  if (typeof data !== 'string' || !/^[A-Za-z0-9+/]*={0,2}$/.test(data)) {
    throw new SyncError('invalid_request', 'message.data must be base64.');
  }
  return Buffer.from(data, 'base64');
}

// No body is an empty object.
function parseObject(bytes: Uint8Array): Values {
  const value = parseJson(decode(bytes).trim() || '{}');
  if (isObject(value)) return value;
  throw new SyncError('invalid_request', 'The body must be a JSON object.');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw notJson();
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw notJson();
  }
}

const notJson = () => new SyncError('invalid_request', 'The body must be JSON.');

const isObject = (value: unknown): value is Values =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const invalid = (problems: string[]) => new SyncError('invalid_request', `${problems.join('; ')}.`);

// zod would quote the names of unknown parameters, which come from the caller as any value does.
function explain(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') return `${names(issue.keys)} unknown here`;
  const path = issue.path.map(String).map(readable).join('.');
  return `${path || 'the request'}: ${issue.message}`;
}

// Names with their verb.
function names(given: string[]): string {
  const shown = given.slice(0, 5).map(readable);
  if (given.length > shown.length) shown.push('…');
  return `${shown.join(', ')} ${given.length === 1 ? 'is' : 'are'}`;
}

// Only what looks like a field or the place in a list is repeated.
const readable = (name: string) =>
  /^([0-9]{1,3}|[A-Za-z_](?!.*[0-9]{6})[\w.-]{0,39})$/.test(name) ? name : '(unreadable name)';

// What a query string says, in the types that the schema asks for.
function coerce(values: object, shape: Shape): Values {
  const entries = Object.entries(values).map(([name, value]: [string, unknown]) => {
    if (Array.isArray(value)) throw invalid([`${names([name])} given more than once`]);
    const type = typeOf(shape, name);
    if (type === 'number' && /^-?[0-9]{1,15}(\.[0-9]{1,15})?$/.test(String(value))) {
      return [name, Number(value)];
    }
    if (type === 'boolean' && /^(true|false)$/.test(String(value))) return [name, value === 'true'];
    return [name, value];
  });
  return Object.fromEntries(entries);
}

function shapeOf(schema: z.core.$ZodType): Shape {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  return def.type === 'object' ? def.shape : {};
}

// The JSON type of a field: optional, default and the like are looked through.
const typeOf = (shape: Shape, name: string): string | undefined =>
  Object.hasOwn(shape, name) ? innermost(shape[name]) : undefined;

function innermost(schema: z.core.$ZodType | undefined): string | undefined {
  const def = (schema as z.core.$ZodTypes | undefined)?._zod.def;
  if (!def) return undefined;
  if ('innerType' in def) return innermost(def.innerType);
  return def.type === 'pipe' ? innermost(def.in) : def.type;
}
