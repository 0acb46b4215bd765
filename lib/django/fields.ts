// Readers for the fields of one record. Lengths are those of the columns of public.members, where
// varchar(n) counts characters, not UTF-16 units. They run up to a million times a walk, so that what
// they return is a value or one of a few constants, and never an object of its own.

const LONGEST_ID = 255;
const LONGEST_NAME = 255;
const LONGEST = { email: 255, phone: 20 } as const;
const control = /\p{Cc}/u;
// No control, no half of a character, and its own NFC: combining characters begin at U+0300.
const plain = /^[ -~\xa0-\u02ff]*$/;
// Only what no address can do without: the register has checked its addresses, we protect ours.
const address = /^[^\s@]+@[^\s@]+$/;
// ISO 8601 as Django writes it, a time of day and its zone optional.
const isoDate =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d{1,9})?)?\s?(Z|[+-]\d\d(?::?\d\d)?)?)?$/i;

/** Why a field cannot be used, in words that hold no value of the record. */
export interface Problem {
  readonly problem: string;
}

export function isProblem(value: unknown): value is Problem {
  return typeof value === 'object' && value !== null;
}

/**
 * The value at a dotted path: undefined when a key is missing or something on the way is no object,
 * null when a null is met on the way. Looks at own keys only.
 */
export function readPath(record: unknown, path: readonly string[]): unknown {
  let value = record;
  for (const key of path) {
    if (value === null) return null;
    if (typeof value !== 'object' || value === undefined || !Object.hasOwn(value, key)) {
      return undefined;
    }
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

/** The Django id as text; undefined when the value is none that can be stored and found again. */
export function readId(value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value) : undefined;
  if (typeof value !== 'string') return undefined;
  const id = value.trim();
  const storable = id !== '' && !id.includes('\0') && id.isWellFormed();
  return storable && fits(id, LONGEST_ID) ? id : undefined;
}

const noText: Problem = { problem: 'the name is no text' };
const emptyName: Problem = { problem: 'the name is empty' };
const longName: Problem = { problem: `the name is longer than ${LONGEST_NAME} characters` };

/** The name, trimmed and in NFC; undefined where the record has no such key. */
export function readName(value: unknown): string | undefined | Problem {
  if (value === undefined) return undefined;
  if (typeof value !== 'string') return noText;
  const name = (plain.test(value) ? value : storable(value).normalize('NFC')).trim();
  if (name === '') return emptyName;
  return fits(name, LONGEST_NAME) ? name : longName;
}

/** Whether a name has characters that `readName` had to remove or replace. */
export function isRepaired(name: unknown): boolean {
  return typeof name === 'string' && !plain.test(name) && storable(name) !== name;
}

// PostgreSQL stores neither a NUL character nor half a surrogate pair.
function storable(text: string): string {
  return text.replaceAll('\0', '').toWellFormed();
}

/**
 * An e-mail address or phone number: undefined leaves the stored value alone, null clears it. One that
 * cannot be stored or used is a problem, which leaves the stored value alone too.
 */
export function readContact(
  field: 'email' | 'phone',
  value: unknown,
): string | null | undefined | Problem {
  if (value === undefined || value === null) return value;
  const given = field === 'phone' && isCount(value) ? String(value) : value;
  if (typeof given !== 'string') return { problem: `the ${field} is no text` };
  const text = given.trim();
  if (text === '') return null;
  if (control.test(text) || !text.isWellFormed()) {
    return { problem: `the ${field} has characters that cannot be stored` };
  }
  if (!fits(text, LONGEST[field])) {
    return { problem: `the ${field} is longer than ${LONGEST[field]} characters` };
  }
  if (field === 'email' && !address.test(text)) return { problem: 'the email is no address' };
  return text;
}

const noBoolean: Problem = {
  problem: 'is_active is neither true nor false: a membership that nobody can tell',
};

/** Whether the record is active. A record without the key is: not every register has one. */
export function readIsActive(value: unknown): boolean | Problem {
  if (value === undefined) return true;
  return typeof value === 'boolean' ? value : noBoolean;
}

const noDate: Problem = {
  problem: 'deleted_at is neither null nor a date (YYYY-MM-DD, or with a time)',
};

/** Whether the day of leaving has come, at a time in milliseconds. A day in the future is yet to come. */
export function readHasLeft(value: unknown, now: number): boolean | Problem {
  if (value === undefined || value === null) return false;
  if (typeof value !== 'string') return noDate;
  // A text column of Django without a value is blank, not null.
  const text = value.trim();
  if (text === '') return false;
  const time = timeOf(text);
  return time === undefined ? noDate : time <= now;
}

/** The day of a time that `readHasLeft` has read, as YYYY-MM-DD by our clock, which is UTC. */
export function dayOf(value: unknown): string {
  return new Date(timeOf(String(value).trim()) ?? Number.NaN).toISOString().slice(0, 10);
}

// Milliseconds; undefined for what is no date. Without a zone it is UTC, the time of Iceland all year.
function timeOf(text: string): number | undefined {
  const match = isoDate.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour = '00', minute = '00', second = '00', zone = 'Z'] = match;
  // 30 February would be 2 March.
  const date = new Date(`${year}-${month}-${day}T00:00:00Z`);
  if (date.getUTCDate() !== Number(day)) return undefined;
  const offset =
    zone.length === 3 ? `${zone}:00` : zone.toUpperCase().replace(/^(...)(..)$/, '$1:$2');
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}${offset}`);
  return Number.isNaN(time) ? undefined : time;
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

/** Whether a text has at most so many characters; counts them only where it matters. */
function fits(text: string, longest: number): boolean {
  return text.length <= longest || (text.length <= 2 * longest && [...text].length <= longest);
}
