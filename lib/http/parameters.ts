import type { Request } from '@google-cloud/functions-framework';
import type * as z from 'zod/mini';
import { SyncError } from '../errors.ts';
import { readBody } from './body.ts';
import { explain, names } from './explain.ts';
import { type Shape, shapeOf, typeOf } from './schemaTypes.ts';

type Values = Record<string, unknown>;

/**
 * The parameters of a request, from its query string and its body, checked against the schema.
 * JSON keeps its types strictly; the strings of a query become numbers and booleans where the
 * schema wants those. Throws SyncError invalid_request, which names every wrong field.
 */
export function readParameters<P extends z.ZodMiniType>(
  request: Pick<Request, 'query' | 'body' | 'rawBody' | 'headers'>,
  schema: P,
  { pubsub = false } = {},
): z.output<P> {
  const shape = shapeOf(schema);
  const body = readBody(request, { pubsub });
  const fromBody = body.textual ? coerce(body.values, shape) : body.values;
  const fromQuery = coerce(request.query, shape);
  const twice = Object.keys(fromQuery).filter((name) => Object.hasOwn(fromBody, name));
  if (twice.length > 0) throw invalid([`${names(twice)} given in the query and in the body`]);

  const given = { ...fromQuery, ...fromBody };
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  throw invalid(result.error.issues.map((issue) => explain(issue, given, shape)));
}

const invalid = (problems: string[]) => new SyncError('invalid_request', `${problems.join('; ')}.`);

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
