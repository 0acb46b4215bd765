import type pg from 'pg';
import type { DjangoClient } from '../django/client.ts';
import type { Member, MemberLookup } from '../django/types.ts';
import { SyncError } from '../errors.ts';
import {
  askAgain,
  askPages,
  canariesAreFound,
  neighboursAreFound,
  type PageReply,
  pagesAreTrue,
  takesVote,
} from './memberPages.ts';
import { dropDuplicates, nothingSeen, type Snapshot } from './snapshot.ts';
import setReversalsAside from './sql/plan/set_reversals_aside.sql';
import selectUnknown from './sql/snapshot/select_unknown.sql';
import { addFormer, addMember, addShields, LEFT_OUT, openIncoming } from './staging.ts';
import type { ErrorList, Run } from './types.ts';
import { emptyProof, walkAgain } from './walkProof.ts';

/**
 * Asks the register for these members only and stages its replies; an id that it does not know is staged as
 * former. Nothing is concluded from silence: a member whose record could not be read is an error, and so is
 * an id that nobody has. Throws what the Django client and pg throw.
 */
export async function takeSelection(
  run: Run,
  django: DjangoClient,
  externalIds: string[],
): Promise<Snapshot> {
  const { client } = run;
  const seen = nothingSeen();
  const { errors } = seen;
  const ids = [...new Set(externalIds)];
  const replies = await askPages(run, django, ids);
  // Pages that show members of the list as no members, or find none of them, say nothing of these either.
  const doubtful = [...replies].filter(([, reply]) => takesVote(reply)).map(([id]) => id);
  const isTrue =
    doubtful.length === 0 ||
    ((await pagesAreTrue(run, django, doubtful)) && (await canariesAreFound(run, django)));
  if (isTrue) await askAgain(run, django, replies);
  const lookups = lookupsOf(ids, replies);
  const { members, leavers, unclear } = sort(lookups, errors);
  const listed =
    isTrue && doubtful.length > 0 && !(await neighboursAreFound(run, django, doubtful))
      ? await whoIsListed(run, django, doubtful)
      : new Set<string>();
  for (const leaver of leavers.splice(0)) {
    const { externalId } = leaver;
    if (isTrue && !listed.has(externalId)) {
      leavers.push(leaver);
    } else {
      errors.add('removal_unconfirmed', externalId, isTrue ? inTheList : untrue);
      unclear.push(externalId);
    }
  }
  await addShields(
    client,
    unclear.map((externalId) => ({ externalId })),
    errors,
  );
  await reportUnknown(client, leavers, errors);

  const { writer, shield } = openIncoming(client, errors);
  let ordinal = 0;
  for (const member of members) addMember(writer, ordinal++, member);
  for (const { externalId, record, why } of leavers) {
    if (record) {
      addMember(writer, ordinal++, record);
    } else addFormer(writer, ordinal++, externalId, why);
  }
  await writer.end();
  const refused = await shield();
  const dropped = await dropDuplicates(client, errors);
  const distinct = members.length - refused - dropped.members;
  return {
    ...seen,
    proof: {
      ...emptyProof(0),
      rows: lookups.size,
      distinct_members: distinct,
      complete: true,
    },
    fetched: [...lookups.values()].filter(({ found }) => found).length,
    members: distinct,
  };
}

const untrue =
  'the register does not find members of its own list by id, so what it says of this one says nothing; nothing was done';
const inTheList =
  'the members next to this one have no pages either, and the list has this one, or could not be read whole; nothing was done';
const old = 'a cache answered with an old page of this member; nothing was done';
const noPage =
  'what answered was not the API (the 404 or 410 of a gateway, or a redirect to elsewhere), so it says nothing of this member; nothing was done';
const another = 'the register answered with another record than the one asked for';

// Many have left at once, or the register has pages for a part of its list only: the list itself tells. Where it cannot
// be read whole, everybody may be in it.
async function whoIsListed(
  run: Run,
  django: DjangoClient,
  doubtful: string[],
): Promise<Set<string>> {
  const listed = new Set<string>();
  // By their ids alone these are known: a record that does not say its own may be any of them.
  let nameless = false;
  const isWhole = await walkAgain(run, django, ({ members, rejections }) => {
    for (const { externalId, isMember } of members) if (isMember) listed.add(externalId);
    for (const { externalId } of rejections) listed.add(externalId ?? '');
    nameless ||= rejections.some(({ externalId }) => externalId === undefined);
  });
  return new Set(isWhole && !nameless ? doubtful.filter((id) => listed.has(id)) : doubtful);
}

// A register that fails, or that the run cannot reach, fails the run: it is asked again as a whole.
function lookupsOf(ids: string[], replies: Map<string, PageReply>): Map<string, MemberLookup> {
  const lookups = new Map<string, MemberLookup>();
  for (const id of ids) {
    const reply = replies.get(id);
    if (reply instanceof SyncError) throw reply;
    if (reply) lookups.set(id, reply);
  }
  return lookups;
}

interface Leaver {
  externalId: string;
  /** undefined: the register knows no such member, or no longer who it was. */
  record?: Member;
  /** In words, where it is not the register that says so. */
  why?: string;
}

interface Sorted {
  members: Member[];
  leavers: Leaver[];
  /** Ids of which nothing was learnt. */
  unclear: string[];
}

function sort(lookups: Map<string, MemberLookup>, errors: ErrorList): Sorted {
  const sorted: Sorted = { members: [], leavers: [], unclear: [] };
  for (const [id, lookup] of lookups) {
    const problem = problemWith(id, lookup);
    if (problem) {
      errors.add(problem.code, id, problem.message);
      sorted.unclear.push(id);
    } else if (!lookup.found || lookup.record.kind !== 'member') {
      const isLeftOut = lookup.found && lookup.record.kind === 'excluded';
      sorted.leavers.push({ externalId: id, ...(isLeftOut ? { why: LEFT_OUT } : {}) });
    } else {
      const { member } = lookup.record;
      if (member.isMember) {
        sorted.members.push(member);
      } else sorted.leavers.push({ externalId: id, record: member });
    }
  }
  return sorted;
}

function problemWith(
  id: string,
  lookup: MemberLookup,
): { code: string; message: string } | undefined {
  if (lookup.stale) return { code: 'stale_reply', message: old };
  if (!lookup.found) {
    return lookup.byApi ? undefined : { code: 'removal_unconfirmed', message: noPage };
  }
  const { record } = lookup;
  if (record.kind === 'rejected') return record.rejection;
  const externalId = record.kind === 'member' ? record.member.externalId : record.externalId;
  return externalId === id ? undefined : { code: 'another_record', message: another };
}

// An id that neither the register nor a row here has is a mistake of the caller, which success would hide.
async function reportUnknown(
  client: pg.Client,
  leavers: Leaver[],
  errors: ErrorList,
): Promise<void> {
  const missing = leavers.filter(({ record }) => !record).map(({ externalId }) => externalId);
  if (missing.length === 0) return;
  const { rows } = await client.query<{ external_id: string }>(selectUnknown, [missing]);
  for (const { external_id } of rows) {
    errors.add('unknown_id', external_id, 'neither the register nor a member here has this id');
  }
}

/**
 * Sets aside what would take back what a call for single members did within the last ten minutes: the walk may
 * have read a replica that lags behind what that call was told. Throws what pg throws.
 */
export async function protectSelected({ client, mode }: Run, { errors }: Snapshot): Promise<void> {
  if (mode === 'selected') return;
  const { rows } = await client.query<{ external_id: string }>(setReversalsAside);
  for (const { external_id } of rows) errors.add('just_changed', external_id, justChanged);
}

const justChanged =
  'a call for this member established less than ten minutes ago what the list takes back; the next run decides';
