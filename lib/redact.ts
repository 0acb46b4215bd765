import { contextOf } from './databaseErrors.ts';
import { isError } from './errors.ts';
import { hasCheckDigit, looksLikeKennitala, maskKennitala } from './kennitala.ts';

// Applied to the words of libraries, which we do not choose. Our own messages hold none of this.
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

// Classes of SQLSTATEs in whose words PostgreSQL names its own objects only: the others may quote a value.
// A trigger of another service may raise any of them, with any text.
const harmless = /^(08|0A|25|28|3D|3F|40|42|53|54|55|57|58|XX)...$/;

// The sources of PostgreSQL that make these sentences (`file` of an error). What RAISE and its like say comes
// from other sources, such as pl_exec.c.
const ownSources = new Set(
  `aclchk auth be-secure bufmgr copy copyfrom copyfromparse crypt dbcommands deadlock domains execExpr
  execExprInterp execIndexing execMain fd guc hba heapam heapam_handler lmgr lock mcxt md miscinit namespace
  nbtinsert nodeLockRows nodeModifyTable parse_coerce parse_expr parse_func parse_oper parse_relation
  parse_target parse_type portalcmds postgres postinit predicate prepare proc relation ri_triggers rls
  rowsecurity scan tablecmds trigger user utility xact xlog`.split(/\s+/),
);

interface ServerError {
  code?: unknown;
  table?: string;
  constraint?: string;
  file?: string;
}

// `detail`, `where` and `internalQuery` hold rows and are never shown. Where a function or a trigger was at
// work, the sentence may quote its statement.
function messageOf(error: Error): string {
  const { code, table, constraint, file } = error as ServerError;
  if (typeof code !== 'string' || !/^(?=.*[0-9])[0-9A-Z]{5}$/.test(code)) return error.message;
  const isOwn = file === undefined || ownSources.has(file.replace(/\.[a-z]$/, ''));
  if (isOwn && contextOf(error) === '' && harmless.test(code)) return error.message;
  // RAISE can also make up the names of table and constraint.
  const place = isOwn ? [table && `table ${table}`, constraint && `constraint ${constraint}`] : [];
  return ['left out', `SQLSTATE ${code}`, ...place].filter(Boolean).join(', ');
}

const SHORTEST_KENNITALA = 10;
const holdsAddress = /[^\s@]@[^\s@]/;

/**
 * Whether an id holds an e-mail address, a kennitala, or the name or phone number of its member. Ids are in logs,
 * answers and URLs, where personal data must never be. Ten digits that are not the kennitala of this record may
 * be a number like any other, unless they have a check digit. Where no kennitala or no name is known to compare with,
 * the look of one is enough.
 */
export function isPersonalId(
  written: string,
  kennitala?: string,
  name?: unknown,
  phone?: unknown,
): boolean {
  if (shortNumber.test(written)) return false;
  // Digits have other forms as well, such as full-width ones.
  const id = written.normalize('NFKC');
  if (isAlike(id, name) || isAlike(id, phone) || holdsAddress.test(id)) return true;
  if (typeof name !== 'string' && words.test(id)) return true;
  if (id.length < SHORTEST_KENNITALA) return false;
  if (kennitala !== undefined) {
    return hasCheckDigit(id) || id.replace(/[^0-9]/g, '').includes(kennitala);
  }
  // Among other characters any ten digits may look like one.
  return looksLikeKennitala(id) || (id.match(tenDigits) ?? []).some(hasCheckDigit);
}

// As a kennitala is written, alone or among other characters.
const tenDigits = /(?<![0-9])[0-9]{6}[\s\u2010-\u2015-]*[0-9]{4}(?![0-9])/g;
// Two words or more, the first and the last with a capital and not an initial, as the name of a person.
const words = /^\s*\p{Lu}\p{L}[\p{L}.'’-]*(\s+\p{L}[\p{L}.'’-]*)*\s+\p{Lu}\p{L}[\p{L}.'’-]*\s*$/u;
// Too short for a telephone number; nearly every id is one.
const shortNumber = /^[0-9]{1,6}$/;

function isAlike(id: string, other: unknown): boolean {
  const text = String(other ?? '');
  if (text === '') return false;
  const [one, two] = [id, text].map((text) => text.normalize('NFKC').replace(/\s+/g, ' ').trim());
  if (one !== '' && one === two) return true;
  const [number, phone] = [id, text].map((text) => text.replace(/[^0-9]/g, ''));
  return number !== undefined && number.length >= 7 && number === phone;
}

/**
 * An id as it may be shown. Records with a personal id are refused, but rows that other services write may have one
 * as well: of a kennitala the date of birth remains, of anything else nothing.
 */
export function shownId<Id extends string | null>(id: Id): Id | string {
  if (id === null || !isPersonalId(id)) return id;
  const [number] = id.normalize('NFKC').match(tenDigits) ?? [];
  return number === undefined ? '***' : maskKennitala(number);
}
