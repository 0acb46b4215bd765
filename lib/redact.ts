import { isError } from './errors.ts';

// Applied to what libraries say, whose words we do not choose. Our own messages hold none of this.
const patterns: [RegExp, string][] = [
  [/\/\/[^/\s@]*@/g, '//***@'],
  [/\bBearer\s+[^\s,;"']+/gi, 'Bearer ***'],
  [/\b(Token|Basic)\s+(?=\S*[0-9])[^\s,;"']+/g, '$1 ***'],
  [/\beyJ[\w-]+\.[\w-]+(\.[\w-]+)?/g, '***'],
  [/[\w.+-]+@[\w-]+(\.[\w-]+)+/g, '***@***'],
  [/\+[0-9][0-9 -]{6,}[0-9]/g, '+***'],
  [/\b[0-9]{6}[- ]?[0-9]{4}\b/g, '******-****'],
  // JSON.parse quotes what it could not read.
  [/(\.\.\.)?"[\s\S]*"(\.\.\.)? is not valid JSON/g, '*** is not valid JSON'],
  [/((?:https?:\/\/|\/)[^\s?"']*)\?[^\s"')]*/g, '$1?***'],
];

/** A text with everything removed that looks like a credential, a query string or a member's data. */
export function redact(text: string): string {
  return patterns.reduce((result, [pattern, mask]) => result.replace(pattern, mask), text);
}

/** The stack of an error and of its causes, redacted, for a log that only we read. */
export function redactedStack(thrown: unknown): string {
  const parts: string[] = [];
  for (let error = thrown; error !== undefined && parts.length < 5; error = causeOf(error)) {
    parts.push(redact(stackOf(error)));
  }
  return parts.join('\nCaused by: ').slice(0, 16_000);
}

/** The message of an error, as far as it can be shown. */
export const redactedMessage = (error: Error): string => redact(messageOf(error));

const causeOf = (error: unknown) => (isError(error) ? error.cause : undefined);

function stackOf(error: unknown): string {
  if (!isError(error)) return `A value was thrown that is no error (${typeof error})`;
  const message = messageOf(error);
  if (error.stack === undefined) return `${error.name}: ${message}`;
  if (message === error.message) return error.stack;
  const frames = error.stack.split('\n').filter((line) => /^ +at /.test(line));
  return [`${error.name}: ${message}`, ...frames].join('\n');
}

// Classes of SQLSTATEs in whose words PostgreSQL names its own objects only. The others may quote a
// value (22, 23), and what a trigger raises (P0) may hold anything. `detail`, `where` and `internalQuery`,
// which hold rows, are never looked at.
const harmless = /^(08|0A|25|28|3D|3F|40|42|53|54|55|57|58|XX)...$/;

function messageOf(error: Error): string {
  const { code, table, constraint } = error as {
    code?: unknown;
    table?: string;
    constraint?: string;
  };
  const isState = typeof code === 'string' && /^(?=.*[0-9])[0-9A-Z]{5}$/.test(code);
  if (!isState || harmless.test(code)) return error.message;
  const place = [table && `table ${table}`, constraint && `constraint ${constraint}`];
  return ['left out', `SQLSTATE ${code}`, ...place].filter(Boolean).join(', ');
}
