import { normaliseKennitala } from '../kennitala.ts';
import type { FieldMap } from '../variables.ts';
import { readContact, readId, readName, readPath } from './fields.ts';
import type { ParsedRecord, RecordWarning, RejectionCode } from './types.ts';

/**
 * Turns one record of the register into a member, a rejection or an exclusion. Pure, and written by
 * hand instead of with a schema: it runs once for each of up to a million records. No message holds
 * a value of the record.
 */
export function parseRecord(
  record: unknown,
  fieldMap: FieldMap,
  exclude: RegExp | undefined,
): ParsedRecord {
  if (typeof record !== 'object' || record === null || Array.isArray(record)) {
    return rejected('invalid_record', undefined, undefined, 'the record is no JSON object');
  }
  const externalId = readId(readPath(record, fieldMap.id));
  const rawKennitala = readPath(record, fieldMap.kennitala);
  const kennitala = normaliseKennitala(rawKennitala);
  // search, not test: a pattern with the g flag would remember where it stopped.
  if (exclude && kennitala !== undefined && kennitala.search(exclude) !== -1) {
    return { kind: 'excluded', externalId };
  }
  const reject = (code: RejectionCode, message: string) =>
    rejected(code, externalId, kennitala, message);
  if (externalId === undefined) {
    return reject(
      'invalid_id',
      'the id is missing, or is no text of 1 to 255 characters or number',
    );
  }
  const isActive = readPath(record, fieldMap.is_active) ?? undefined;
  if (isActive !== undefined && typeof isActive !== 'boolean') {
    return reject('invalid_is_active', 'is_active is neither true, false nor null');
  }
  const isMember = isActive !== false && !isSet(readPath(record, fieldMap.deleted_at));
  if (kennitala === undefined) {
    // A leaver may have been made anonymous: the record still says whose id is no member any more. A
    // key that is missing says nothing.
    const blank = rawKennitala === null || rawKennitala === '';
    if (blank && !isMember) return { kind: 'former', externalId };
    return reject('invalid_kennitala', kennitalaProblem(rawKennitala));
  }

  const warnings: RecordWarning[] = [];
  const warn = (field: RecordWarning['field'], message: string) =>
    warnings.push({ externalId, field, message });

  const name = readName(readPath(record, fieldMap.name));
  if (name.problem !== undefined) {
    // Registers blank the name of a leaver. Rejecting that record would shield the leaver from
    // being removed.
    if (isMember) return reject('invalid_name', name.problem);
    warn('name', `${name.problem}; ignored, since the record is of no member`);
  } else if (name.repaired) {
    warn('name', 'characters that cannot be stored were removed or replaced');
  }
  const contact = (field: 'email' | 'phone'): string | null | undefined => {
    const { value, problem } = readContact(field, readPath(record, fieldMap[field]));
    if (problem !== undefined) warn(field, problem);
    return value;
  };
  return {
    kind: 'member',
    member: {
      externalId,
      kennitala,
      name: name.value,
      email: contact('email'),
      phone: contact('phone'),
      isMember,
    },
    warnings,
  };
}

function rejected(
  code: RejectionCode,
  externalId: string | undefined,
  kennitala: string | undefined,
  message: string,
): ParsedRecord {
  return { kind: 'rejected', rejection: { code, externalId, kennitala, message } };
}

function kennitalaProblem(value: unknown): string {
  if (value === undefined || value === null) return 'the kennitala is missing';
  return typeof value === 'number'
    ? 'the kennitala is a number, which loses its leading zeros: it must be text'
    : 'the kennitala is no text of ten digits';
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '' && value !== false;
}
