// Applied to what libraries say, whose words we do not choose. Our own messages hold none of this.
const patterns: [RegExp, string][] = [
  [/\/\/[^/\s@]*@/g, '//***@'],
  [/\bBearer\s+[^\s,;"']+/gi, 'Bearer ***'],
  [/\b(Token|Basic)\s+(?=\S*[0-9])[^\s,;"']+/g, '$1 ***'],
  [/\beyJ[\w-]+\.[\w-]+(\.[\w-]+)?/g, '***'],
  [/[\w.+-]+@[\w-]+(\.[\w-]+)+/g, '***@***'],
  [/\b[0-9]{6}[- ]?[0-9]{4}\b/g, '******-****'],
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
    parts.push(redact(quoteless(error)));
  }
  return parts.join('\nCaused by: ').slice(0, 16_000);
}

const causeOf = (error: unknown) => (error instanceof Error ? error.cause : undefined);

// PostgreSQL's data exceptions (class 22) quote the value that it could not read.
function quoteless(error: unknown): string {
  if (!(error instanceof Error)) return `A value was thrown that is no error (${typeof error})`;
  const stack = error.stack ?? `${error.name}: ${error.message}`;
  const isDataException = 'code' in error && /^2[23]...$/.test(String(error.code));
  return isDataException ? stack.replace(/"[^"\n]*"/g, '"***"') : stack;
}
