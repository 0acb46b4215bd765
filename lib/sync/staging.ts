import type pg from 'pg';
import type { Member } from '../django/types.ts';
import { type CopyWriter, openCopy } from './copy.ts';
import type { ErrorList } from './errorList.ts';
import createSpare from './sql/apply/create_spare.sql';
import createApplicable from './sql/plan/create_applicable.sql';
import knownMembersFull from './sql/plan/create_known_members_full.sql';
import knownMembersPartial from './sql/plan/create_known_members_partial.sql';
import createMove from './sql/plan/create_move.sql';
import createOccupied from './sql/plan/create_occupied.sql';
import createPair from './sql/plan/create_pair.sql';
import createPlan from './sql/plan/create_plan.sql';
import copyIncoming from './sql/snapshot/copy_incoming.sql';
import copyShield from './sql/snapshot/copy_shield.sql';
import createIncoming from './sql/snapshot/create_incoming.sql';
import createRepeated from './sql/snapshot/create_repeated.sql';
import createShield from './sql/snapshot/create_shield.sql';
import type { SyncMode } from './types.ts';
import { firstLook, PINNED } from './writingPath.ts';

/**
 * Makes the session's temporary tables. A run over the whole register is compared with every member, another one
 * with those that the records name.
 */
export async function createStaging(client: pg.Client, mode: SyncMode): Promise<void> {
  const statements = [
    ...firstLook,
    `set search_path = ${PINNED}`,
    createIncoming,
    createRepeated,
    createShield,
    mode === 'full' ? knownMembersFull : knownMembersPartial,
    createPair,
    createMove,
    createPlan,
    createApplicable,
    createOccupied,
    ...(mode === 'undo' ? [createSpare] : []),
    // Until the plan is applied, which waits for the disk again, only progress is written.
    'set synchronous_commit = off',
  ];
  await client.query(statements.join(';\n'));
}

/** Empties them for another walk, or another plan. */
export async function emptyStaging(client: pg.Client): Promise<void> {
  const tables = ['incoming', 'repeated', 'shield', 'pair', 'move', 'plan', 'occupied'];
  await client.query(tables.map((name) => `delete from pg_temp.${name}`).join(';'));
}

/** What openIncoming gives. */
interface Incoming {
  writer: CopyWriter;
  /** Shields the members whose records had to be left out; returns how many of them are members. */
  shield(): Promise<number>;
}

/** Opens the staging of records; one that the database cannot hold is set aside, once `shield` is called. */
export function openIncoming(client: pg.Client, errors: ErrorList): Incoming {
  const refused: { externalId: string; kennitala?: string; isMember: boolean }[] = [];
  const writer = openCopy(client, copyIncoming, (row) => {
    const [, externalId, kennitala] = row;
    refused.push({
      externalId: String(externalId),
      ...(typeof kennitala === 'string' ? { kennitala } : {}),
      isMember: row[IS_MEMBER] === true,
    });
  });
  return {
    writer,
    async shield() {
      for (const { externalId } of refused) {
        errors.add('invalid_encoding', isAscii(externalId) ? externalId : null, notEncodable);
      }
      await addShields(client, refused, errors);
      return refused.filter(({ isMember }) => isMember).length;
    },
  };
}

const isAscii = (text: string) => /^[ -~]*$/.test(text);
/** Its place among the columns of copy_incoming.sql. */
const IS_MEMBER = 8;
const notEncodable =
  'the record has a character that the encoding of the database does not have; a database in UTF-8 has them all';

/** Adds the record of a member; columns as in copy_incoming.sql. */
export function addMember(writer: CopyWriter, ordinal: number, member: Member): void {
  const { externalId, kennitala, name, email, phone, isMember, notMember } = member;
  const [hasEmail, hasPhone] = [email !== undefined, phone !== undefined];
  writer.add(
    ordinal,
    externalId,
    kennitala,
    name,
    hasEmail,
    email,
    hasPhone,
    phone,
    isMember,
    notMember,
  );
}

/** Why a record that DJANGO_EXCLUDE_KENNITALA matches is no member: the register may well say that it is. */
export const LEFT_OUT = 'left out by DJANGO_EXCLUDE_KENNITALA';

/** Adds an id that is no member's, and why in words: no kennitala, no member. */
export function addFormer(
  writer: CopyWriter,
  ordinal: number,
  externalId: string,
  why?: string,
): void {
  writer.add(ordinal, externalId, null, null, false, null, false, null, false, why);
}

/**
 * Members that a record names without our being able to trust it: they are not removed. An id that the database cannot
 * hold names no row, and is taken out of the errors, which are stored there.
 */
export async function addShields(
  client: pg.Client,
  named: readonly { externalId?: string | undefined; kennitala?: string | undefined }[],
  errors: ErrorList,
): Promise<void> {
  const byNumber: string[] = [];
  const writer = openCopy(client, copyShield, ([externalId, kennitala]) => {
    errors.hideId(String(externalId));
    if (typeof kennitala === 'string') byNumber.push(kennitala);
  });
  for (const { externalId, kennitala } of named) writer.add(externalId, kennitala);
  await writer.end();
  if (byNumber.length === 0) return;
  const rest = openCopy(client, copyShield, () => undefined);
  for (const kennitala of byNumber) rest.add(undefined, kennitala);
  await rest.end();
}
