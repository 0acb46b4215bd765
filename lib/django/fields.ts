// Readers for the fields of one record. The lengths are those of the columns of public.members,
// where varchar(n) counts characters, not UTF-16 units.

const LONGEST_ID = 255;
const LONGEST_NAME = 255;
const LONGEST = { email: 255, phone: 20 } as const;
const control = /\p{Cc}/u;
// No control, no half of a character, and its own NFC: combining characters begin at U+0300.
const plain = /^[ -~\xa0-\u02ff]*$/;
// Only what no address can do without: the register has checked its addresses, we protect ours.
const address = /^[^\s@]+@[^\s@]+$/;

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

/** The name, trimmed and in NFC; undefined where the record has no such key, or with what is wrong. */
export function readName(value: unknown): {
  value: string | undefined;
  problem?: string;
  repaired?: boolean;
} {
  if (value === undefined) return { value };
  if (typeof value !== 'string') return { value: undefined, problem: 'the name is no text' };
  // PostgreSQL stores neither a NUL character nor half a surrogate pair.
  const isPlain = plain.test(value);
  const storable = isPlain ? value : value.replaceAll('\0', '').toWellFormed();
  const name = (isPlain ? storable : storable.normalize('NFC')).trim();
  if (name === '') return { value: undefined, problem: 'the name is empty' };
  if (!fits(name, LONGEST_NAME)) {
    return { value: undefined, problem: `the name is longer than ${LONGEST_NAME} characters` };
  }
  return { value: name, repaired: storable !== value };
}

/**
 * An e-mail address or phone number: undefined leaves the stored value alone, null clears it. One
 * that cannot be stored or used is dropped, which leaves the stored value alone, with the problem.
 */
export function readContact(
  field: 'email' | 'phone',
  value: unknown,
): { value: string | null | undefined; problem?: string } {
  if (value === undefined || value === null) return { value };
  const dropped = (problem: string) => ({ value: undefined, problem: `the ${field} ${problem}` });
  const given = field === 'phone' && isCount(value) ? String(value) : value;
  if (typeof given !== 'string') return dropped('is no text');
  const text = given.trim();
  if (text === '') return { value: null };
  if (control.test(text) || !text.isWellFormed()) {
    return dropped('has characters that cannot be stored');
  }
  if (!fits(text, LONGEST[field])) return dropped(`is longer than ${LONGEST[field]} characters`);
  if (field === 'email' && !address.test(text)) return dropped('is no address');
  return { value: text };
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

/** Whether a text has at most so many characters; counts them only where it matters. */
function fits(text: string, longest: number): boolean {
  return text.length <= longest || (text.length <= 2 * longest && [...text].length <= longest);
}
