import { normaliseKennitala } from '../kennitala.ts';
import { isPersonalId } from '../redact.ts';
import type { FieldMap } from '../variables.ts';
import {
  dayOf,
  isProblem,
  isRepaired,
  type Problem,
  readContact,
  readHasLeft,
  readId,
  readIsActive,
  readName,
  readPath,
} from './fields.ts';
import type { MembershipKeys } from './membershipKeys.ts';
import type { Member, ParsedRecord, RecordWarning, RejectionCode } from './types.ts';

const lost = 'is missing, and every record of the list has it: without it nobody knows who left';
/** What stands for bytes that are no UTF-8. */
const REPLACEMENT = '\ufffd';
const noWarnings: RecordWarning[] = [];

export interface RecordRules {
  fieldMap: FieldMap;
  /** Leaves out records by their kennitala. */
  exclude: RegExp | undefined;
  /** The time in ms since 1970: a member who leaves later is still one. */
  now: number;
  /** Keys that the whole list has: a page of a member that lacks them says nothing. */
  required: MembershipKeys;
  /** The reply had bytes that are no UTF-8, so a record with U+FFFD is not what the register holds. */
  damaged: boolean;
}

/**
 * Turns one record of the register into a member, a rejection or an exclusion. Pure, and written by
 * hand instead of with a schema: it runs once for each of up to a million records. No message holds
 * a value of the record.
 */
export function parseRecord(record: unknown, rules: RecordRules): ParsedRecord {
  if (typeof record !== 'object' || record === null || Array.isArray(record)) {
    return rejected('invalid_record', undefined, undefined, 'the record is no JSON object');
  }
  const { fieldMap, exclude } = rules;
  const rawKennitala = readPath(record, fieldMap.kennitala);
  const kennitala = normaliseKennitala(rawKennitala);
  const id = readId(readPath(record, fieldMap.id));
  const rawName = readPath(record, fieldMap.name);
  const isPersonal =
    id !== undefined && isPersonalId(id, kennitala, rawName, readPath(record, fieldMap.phone));
  const isDamaged = rules.damaged && holdsReplacement(record);
  const externalId = isPersonal || (isDamaged && id?.includes(REPLACEMENT)) ? undefined : id;
  // search, not test: a pattern with the g flag would remember where it stopped.
  if (exclude && kennitala !== undefined && kennitala.search(exclude) !== -1) {
    return { kind: 'excluded', externalId };
  }
  const reject = (code: RejectionCode, message: string) =>
    rejected(code, externalId, kennitala, message);
  if (isDamaged) return reject('invalid_encoding', 'the record has bytes that are no UTF-8');
  if (externalId === undefined) return reject('invalid_id', idProblem(isPersonal));

  const rawIsActive = readPath(record, fieldMap.is_active);
  if (rawIsActive === undefined && rules.required.is_active) {
    return reject('invalid_is_active', `is_active ${lost}`);
  }
  const isActive = readIsActive(rawIsActive);
  if (isProblem(isActive)) return reject('invalid_is_active', isActive.problem);
  const leftAt = readPath(record, fieldMap.deleted_at);
  if (leftAt === undefined && rules.required.deleted_at) {
    return reject('invalid_deleted_at', `deleted_at ${lost}`);
  }
  const hasLeft = readHasLeft(leftAt, rules.now);
  if (isProblem(hasLeft)) return reject('invalid_deleted_at', hasLeft.problem);
  const isMember = isActive && !hasLeft;
  if (kennitala === undefined) {
    // A leaver may have been made anonymous: the record still says whose id is no member any more. A
    // key that is missing says nothing.
    if (!isMember && isBlank(rawKennitala)) return { kind: 'former', externalId };
    return reject('invalid_kennitala', kennitalaProblem(rawKennitala));
  }

  const name = readName(rawName);
  // Registers blank the name of a leaver. Rejecting that record would shield the leaver from being removed.
  if (isProblem(name) && isMember) return reject('invalid_name', name.problem);
  const email = readContact('email', readPath(record, fieldMap.email));
  const phone = readContact('phone', readPath(record, fieldMap.phone));
  const member: Member = {
    externalId,
    kennitala,
    name: unlessProblem(name),
    email: unlessProblem(email),
    phone: unlessProblem(phone),
    isMember,
    notMember: isMember ? undefined : hasLeft ? `left on ${dayOf(leftAt)}` : 'Django says inactive',
  };
  const isOdd = isProblem(name) || isProblem(email) || isProblem(phone);
  const isChanged = name !== rawName && isRepaired(rawName);
  const warnings =
    isOdd || isChanged ? warningsOf(externalId, { name, email, phone }, rawName) : noWarnings;
  return { kind: 'member', member, warnings };
}

// null, and what is put in the place of a number that is deleted: no digit at all, or a word.
const isBlank = (kennitala: unknown): boolean =>
  kennitala === null ||
  (typeof kennitala === 'string' && (!/[0-9]/.test(kennitala) || /\p{L}{3}/u.test(kennitala)));

function holdsReplacement(record: object): boolean {
  try {
    return JSON.stringify(record).includes(REPLACEMENT);
  } catch {
    // Nested too deep to be written again.
    return true;
  }
}

function unlessProblem<T>(value: T | Problem): T | undefined {
  return isProblem(value) ? undefined : value;
}

function warningsOf(
  externalId: string,
  fields: Record<RecordWarning['field'], unknown>,
  rawName: unknown,
): RecordWarning[] {
  const warnings: RecordWarning[] = [];
  for (const field of ['name', 'email', 'phone'] as const) {
    const value = fields[field];
    if (!isProblem(value)) continue;
    const ignored = field === 'name' ? '; ignored, since the record is of no member' : '';
    warnings.push({ externalId, field, message: `${value.problem}${ignored}` });
  }
  if (isRepaired(rawName) && !isProblem(fields.name)) {
    const message = 'characters that cannot be stored were removed or replaced';
    warnings.push({ externalId, field: 'name', message });
  }
  return warnings;
}

function rejected(
  code: RejectionCode,
  externalId: string | undefined,
  kennitala: string | undefined,
  message: string,
): ParsedRecord {
  return { kind: 'rejected', rejection: { code, externalId, kennitala, message } };
}

function idProblem(isPersonal: boolean): string {
  return isPersonal
    ? 'the id is a kennitala, a name, a phone number or an e-mail address, which must not be in logs and answers: map another field to id in DJANGO_FIELD_MAP'
    : 'the id is missing, or is no text of 1 to 255 characters or number';
}

function kennitalaProblem(value: unknown): string {
  if (value === undefined || value === null) return 'the kennitala is missing';
  return typeof value === 'number'
    ? 'the kennitala is a number, which loses its leading zeros: it must be text'
    : 'the kennitala is no text of ten digits';
}
