import type { Request } from '@google-cloud/functions-framework';
import type * as z from 'zod/mini';
import { SyncError } from '../errors.ts';
import { readBody } from './body.ts';
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
  throw invalid(result.error.issues.map((issue) => explain(issue, given)));
}

const invalid = (problems: string[]) => new SyncError('invalid_request', `${problems.join('; ')}.`);

// What a query string says, in the types that the schema asks for.
function coerce(values: object, shape: Shape): Values {
  const entries = Object.entries(values).map(([name, value]: [string, unknown]) => {
    if (Array.isArray(value)) throw invalid([`${names([name])} given more than once`]);
    const type = typeOf(shape, name);
    if (type === 'number' && /^-?[0-9]{1,15}(\.[0-9]{1,15})?$/.test(String(value)))
      return [name, Number(value)];
    if (type === 'boolean' && /^(true|false)$/.test(String(value))) return [name, value === 'true'];
    return [name, value];
  });
  return Object.fromEntries(entries);
}

type Issue = z.core.$ZodIssue;

// zod/mini comes without messages, and ours must never repeat a value.
function explain(issue: Issue, given: Values): string {
  if (issue.code === 'unrecognized_keys') return `${names(issue.keys)} unknown here`;
  const field = issue.path.join('.');
  const name = field || 'the request';
  const isMissing = issue.path.length === 1 && given[field] === undefined;
  if (isMissing && issue.code !== 'custom') return `${name} is missing`;
  return `${name} ${wrongness(issue)}`;
}

function wrongness(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${issue.expected === 'int' ? 'a whole number' : `of type ${issue.expected}`}`;
    case 'invalid_value':
      return `must be one of ${issue.values.join(', ')}`;
    case 'too_small':
      return `must be at least ${issue.minimum}${unit(issue.origin)}`;
    case 'too_big':
      return `must be at most ${issue.maximum}${unit(issue.origin)}`;
    case 'invalid_format':
      return `must be a valid ${issue.format}`;
    default:
      return issue.message === 'Invalid input' ? 'is not valid' : issue.message;
  }
}

const unit = (origin: string) =>
  origin === 'string' ? ' characters' : origin === 'array' ? ' entries' : '';

// Names come from the caller: only what looks like a field is repeated.
function names(given: string[]): string {
  const shown = given
    .slice(0, 5)
    .map((name) =>
      /^[A-Za-z_](?!.*[0-9]{6})[\w.-]{0,39}$/.test(name) ? name : '(unreadable name)',
    );
  if (given.length > shown.length) shown.push('…');
  return `${shown.join(', ')} ${given.length === 1 ? 'is' : 'are'}`;
}
