import type { Member } from '../django/types.ts';

const special = /[\\\t\n\r]/g;
const escapes: Record<string, string> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

// COPY's text format (PostgreSQL manual, "COPY", File Formats): tab between columns, \N for null,
// backslash before what would be taken for either.
const field = (value: string | null | undefined): string =>
  value === null || value === undefined
    ? '\\N'
    : value.replace(special, (character) => escapes[character] as string);

/** One line of COPY text for `incoming`, in the order of copy_incoming.sql. */
export function copyRow(ordinal: number, member: Member): string {
  const { externalId, kennitala, name, email, phone, isMember } = member;
  return `${ordinal}\t${field(externalId)}\t${kennitala}\t${field(name)}\t${email === undefined ? 'f' : 't'}\t${field(email)}\t${phone === undefined ? 'f' : 't'}\t${field(phone)}\t${isMember ? 't' : 'f'}\n`;
}

/** The line for a member of whom the register says that there is none: no kennitala, no member. */
export function copyGoneRow(ordinal: number, externalId: string): string {
  return `${ordinal}\t${field(externalId)}\t\\N\t\\N\tf\t\\N\tf\t\\N\tf\n`;
}
