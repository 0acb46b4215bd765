import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { variableNames } from '../lib/config.ts';
import { nearest } from './nearest.ts';

/** Every variable that the project reads, those of `npm start` included. */
const known = [...variableNames, 'MEMBERS'];

/**
 * Returns the variables of the file .env; none where there is no file. Throws an error that names each line that
 * does not count as it is meant, by its number: a mistyped address would start a made-up register in its place.
 * Nothing of the file is repeated.
 */
export function readEnvFile(
  file = join(import.meta.dirname, '../.env'),
): Record<string, string | undefined> {
  const text = textOf(file);
  const problems = problemsIn(text);
  if (problems.length > 0) throw new Error(`In the file .env, ${problems.join('; ')}.`);
  return parseEnv(text);
}

/** Names that are set and are nearly one of ours, each in a sentence. */
export function mistypedNames(names: readonly string[]): string[] {
  return names
    .filter((name) => !known.includes(name))
    .map((name) => nearest(name, known))
    .filter((meant) => meant !== undefined)
    .map(
      (meant) => `A variable is set whose name is nearly ${meant}: correct the name, or unset it`,
    );
}

function textOf(file: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return '';
    const reason = code === 'EISDIR' ? 'is a folder, and no file' : 'cannot be read';
    throw new Error(`.env ${reason}.`, { cause });
  }
  try {
    // UTF-16 has a zero in every other byte of a name. A byte order mark, which Notepad puts in front, is left out.
    if (!bytes.includes(0)) return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {}
  throw new Error('The file .env is not in UTF-8 (but in UTF-16, perhaps): save it as UTF-8.');
}

const ASSIGNMENT = /^\s*(?:export\s+)?([\w.-]+)\s*=\s*(.*)$/;

function problemsIn(text: string): string[] {
  const problems: string[] = [];
  // A value in quotes may go on over several lines.
  let quote = '';
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (quote) {
      if (line.includes(quote)) quote = '';
      continue;
    }
    if (/^\s*(#|$)/.test(line)) continue;
    const [, name, value = ''] = ASSIGNMENT.exec(line) ?? [];
    const problem = name === undefined ? wordsFor(line) : wordsForName(name);
    if (problem) problems.push(`line ${index + 1} ${problem}`);
    const [opening = ''] = /^["'`]/.exec(value) ?? [];
    if (opening && !value.slice(1).includes(opening)) quote = opening;
  }
  if (quote) problems.push('a quotation mark is not closed');
  return problems;
}

const wordsFor = (line: string) =>
  /^\s*[\w. -]+:/.test(line)
    ? 'has a colon where NAME=value has its ='
    : 'is neither NAME=value nor a comment (#)';

// Where a prefix is ours, the variable can be for nobody else.
function wordsForName(name: string): string | undefined {
  if (known.includes(name)) return undefined;
  const meant = nearest(name, known);
  if (meant) return `sets a name that is nearly ${meant}: correct it`;
  return /^(SYNC|DJANGO|NOTIFY)_/i.test(name)
    ? 'sets a name that nothing reads: .env.example lists all'
    : undefined;
}
