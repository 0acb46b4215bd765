import type pg from 'pg';
import type { Member } from '../django/types.ts';
import { SyncError } from '../errors.ts';
import { type CopyWriter, openCopy } from './copy.ts';
import createSpare from './sql/apply/create_spare.sql';
import createApplicable from './sql/plan/create_applicable.sql';
import knownMembersFull from './sql/plan/create_known_members_full.sql';
import knownMembersPartial from './sql/plan/create_known_members_partial.sql';
import createMove from './sql/plan/create_move.sql';
import createOccupied from './sql/plan/create_occupied.sql';
import createPair from './sql/plan/create_pair.sql';
import createPlan from './sql/plan/create_plan.sql';
import inspectCitus from './sql/session/inspect_citus.sql';
import copyIncoming from './sql/snapshot/copy_incoming.sql';
import copyShield from './sql/snapshot/copy_shield.sql';
import createIncoming from './sql/snapshot/create_incoming.sql';
import createRepeated from './sql/snapshot/create_repeated.sql';
import createShield from './sql/snapshot/create_shield.sql';
import type { ErrorList, SyncMode } from './types.ts';

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

export interface Placement {
  is_worker: boolean;
  /** `members` is a reference table, and the coordinator is no node that has one. */
  has_no_copy: boolean;
  /** Tables of ours in schema public that Citus has spread over nodes. */
  distributed: string[];
}

/**
 * Refuses a database whose Citus nodes hold our tables in a way that would lie to readers or to the limits. From then on a
 * wait on another node ends when one here would: what is SET LOCAL holds there as well.
 */
export async function refusePlacement(client: pg.ClientBase): Promise<void> {
  const { rows } = await client.query<Placement>(inspectCitus);
  const problem = problemWithPlacement(rows[0] as Placement);
  if (problem !== undefined) throw new SyncError('database_unavailable', problem);
  await client.query(`set citus.propagate_set_commands = 'local'`);
}

/** What is wrong with a placement, with the cure; undefined where nothing is. Pure. */
export function problemWithPlacement({
  is_worker,
  has_no_copy,
  distributed,
}: Placement): string | undefined {
  if (is_worker) {
    return 'DATABASE_URL points at a worker of Citus. Point it at the coordinator.';
  }
  if (has_no_copy) {
    return 'public.members is a reference table of Citus, and the coordinator has no copy of it: select citus_set_coordinator_host with its address (docs/CAPACITY.md).';
  }
  if (distributed.includes('members')) {
    return 'public.members is distributed over the nodes of Citus, where readers see half a run, or lies on one of them. Undo it with undistribute_table, and make it a reference table with create_reference_table (docs/CAPACITY.md).';
  }
  if (distributed.length > 0) {
    return `${distributed.map((name) => `public.${name}`).join(', ')} must not be on other nodes of Citus than the coordinator: the limits of the last 24 hours could not be counted. Undo it with undistribute_table.`;
  }
  return undefined;
}

/** A session looks once for what strangers have put into schema public: what is put there later is not found. */
export const PINNED = 'pg_catalog, pg_temp';
/**
 * Before a statement that triggers of others follow: they may name their tables without a schema, and write to tables
 * with row level security. Rows of ours that it could hide have failed the run before.
 */
export const openPath = `select set_config('search_path', current_setting('membership_sync.writing_path'), true),
  set_config('row_security', 'on', true)`;
/** After it. A SET LOCAL would go on to the other nodes of Citus with all of its message. */
export const pinPath = `select set_config('search_path', '${PINNED}', true), set_config('row_security', 'off', true)`;

/** Does work whose statements triggers of others follow, in a transaction. Throws what the work throws. */
export async function openly<T>(client: pg.Client, work: () => Promise<T>): Promise<T> {
  await client.query(openPath);
  const result = await work();
  await client.query(pinPath);
  return result;
}

const ours = [
  'members',
  'member_changes',
  'sync_log',
  'open_findings',
  'held_changes',
  'undone_changes',
  'rewritten_values',
];
/** Before the path is pinned: an index on an expression calls others' functions, which are looked up at the first read. */
const firstLook = ours.map((table) => `select from public.${table} limit 0`);
