import type * as z from 'zod/mini';
import { isWholeNumber, type Shape } from './schemaTypes.ts';

type Issue = z.core.$ZodIssue;

/**
 * What is wrong with a parameter, in words for whoever called. zod/mini comes without messages, and ours
 * never repeat a value.
 */
export function explain(issue: Issue, given: Record<string, unknown>, shape: Shape): string {
  if (issue.code === 'unrecognized_keys') return `${names(issue.keys)} unknown here`;
  const [field] = issue.path;
  const name = field === undefined ? 'the request' : pathOf(issue.path);
  const isMissing = issue.path.length === 1 && given[String(field)] === undefined;
  if (isMissing && issue.code !== 'custom') return `${name} is missing`;
  if (issue.message !== NO_WORDS) return `${name} ${issue.message}`;
  const isWhole = issue.path.length === 1 && isWholeNumber(shape, String(field));
  return `${name} ${wrongness(issue, isWhole)}`;
}

/** What zod/mini says of everything for which the schema has no words of its own. */
const NO_WORDS = 'Invalid input';

function wrongness(issue: Issue, isWhole: boolean): string {
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${isWhole ? types['int'] : (types[issue.expected] ?? `of type ${issue.expected}`)}`;
    case 'invalid_value':
      return `must be ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.join(', ')}`;
    case 'too_small':
      return bounded(issue, issue.minimum, issue.inclusive === false ? 'more than' : 'at least');
    case 'too_big':
      return bounded(issue, issue.maximum, issue.inclusive === false ? 'less than' : 'at most');
    case 'invalid_format':
      return formats[issue.format] ?? 'does not have the form that it must have';
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`;
    case 'invalid_union':
      return 'is none of the kinds of value that it may be';
    case 'invalid_key':
      return 'is not a valid name';
    default:
      return 'is not valid';
  }
}

const types: Record<string, string> = {
  int: 'a whole number',
  number: 'a number',
  string: 'text',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};

const formats: Record<string, string> = {
  datetime: 'must be a time such as 2026-01-31T12:00:00Z',
  date: 'must be a date such as 2026-01-31',
  email: 'must be an e-mail address',
  url: 'must be a URL',
};

// A text has characters and a list has entries; a number is what it is.
function bounded(
  { origin, exact }: { origin: string; exact?: boolean },
  bound: number | bigint,
  words: string,
): string {
  const amount = `${exact ? 'exactly' : words} ${bound}`;
  if (origin === 'number' || origin === 'int' || origin === 'bigint') return `must be ${amount}`;
  const [one, many] = origin === 'string' ? ['character', 'characters'] : ['entry', 'entries'];
  return `must have ${amount} ${Number(bound) === 1 ? one : many}`;
}

const pathOf = (path: PropertyKey[]) =>
  path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${readable(String(part))}`))
    .join('')
    .replace(/^\./, '');

/** Names with their verb. They come from the caller: only what looks like a field is repeated. */
export function names(given: string[]): string {
  const shown = given.slice(0, 5).map(readable);
  if (given.length > shown.length) shown.push('…');
  return `${shown.join(', ')} ${given.length === 1 ? 'is' : 'are'}`;
}

const readable = (name: string) =>
  /^[A-Za-z_](?!.*[0-9]{6})[\w.-]{0,39}$/.test(name) ? name : '(unreadable name)';
