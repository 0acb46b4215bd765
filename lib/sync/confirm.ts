import pMap from 'p-map';
import type pg from 'pg';
import type { DjangoClient } from '../django/client.ts';
import type { MemberLookup, MembersPage } from '../django/types.ts';
import { SyncError } from '../errors.ts';
import type { ErrorList } from './errorList.ts';
import dropRemovals from './sql/guard/drop_removals.sql';
import selectRemovals from './sql/guard/select_removals.sql';
import selectRenumberedLeavers from './sql/guard/select_renumbered_leavers.sql';
import { addPage, emptyProof, judgeWalk } from './walkProof.ts';

export interface Removal {
  member_id: number;
  external_id: string | null;
  kennitala: string;
  /** Its Django id is a member in another row now: only a walk can tell whether its kennitala is one's. */
  superseded: boolean;
}

type Answer =
  | 'gone'
  /** 404, but not in the API's own words: from a proxy, or because there is no such route. */
  | 'no_endpoint'
  | 'not_a_member'
  | 'still_a_member'
  | 'another_record'
  | 'unreadable'
  | 'unanswered';

export interface Confirmation {
  /** Removals dropped from the plan because the register did not confirm them. */
  unconfirmed: number;
  /** Of those, members that the register still has: the walk had missed them. */
  stillMembers: number;
}

interface Confirming {
  client: pg.Client;
  django: DjangoClient;
  /** The plan was made from the answers of the detail endpoint. */
  answered: boolean;
  concurrency: number;
  errors: ErrorList;
  signal: AbortSignal;
}

const reasons: Partial<Record<Answer, string>> = {
  still_a_member: 'the register still has this member, though the list did not show it',
  another_record:
    'the register answered with another person or kennitala than the row here has; compare the two, and check that DJANGO_MEMBERS_PATH/<id>/ answers with the member of that id',
  unreadable: 'the register answered with a record that could not be read; nothing was removed',
  unanswered: 'the register did not answer whether this member is gone; nothing was removed',
};

/**
 * Asks the register about every member that the plan would remove, one by one, and drops from the plan
 * each removal that it does not confirm. Where there is no detail endpoint, or a row has no Django id of
 * its own, a second walk answers instead. Throws only when the run itself must end.
 */
export async function confirmRemovals(confirming: Confirming): Promise<Confirmation> {
  const { client, errors, answered } = confirming;
  const { rows: removals } = await client.query<Removal>(selectRemovals, [answered]);
  if (removals.length === 0) return { unconfirmed: 0, stillMembers: 0 };
  const answers = await askOneByOne(confirming, removals);
  const open = removals.filter(
    (removal) => !answers.has(removal) || answers.get(removal) === 'no_endpoint',
  );
  const gone = removals.filter((removal) => answers.get(removal) === 'gone');
  // Only an answer about the very member that was asked for shows that members are found by id.
  const endpointExists = [...answers.values()].some(
    (answer) => answer === 'still_a_member' || answer === 'not_a_member',
  );
  if (gone.length > 0 && !endpointExists && !(await detailEndpointExists(confirming))) {
    open.push(...gone);
  }
  if (open.length > 0) await askByWalk(confirming, open, answers);

  const dropped = removals.filter(
    (removal) => reasons[answers.get(removal) ?? 'unanswered'] !== undefined,
  );
  for (const removal of dropped) {
    const reason = reasons[answers.get(removal) ?? 'unanswered'] as string;
    errors.add('removal_unconfirmed', removal.external_id, reason);
  }
  if (dropped.length > 0) {
    await client.query(dropRemovals, [dropped.map(({ member_id }) => member_id)]);
  }
  return {
    unconfirmed: dropped.length,
    stillMembers: dropped.filter((removal) => answers.get(removal) === 'still_a_member').length,
  };
}

/** Counts, as unconfirmed, who is no member by Django id but has another kennitala here. */
export async function tellRenumberedLeavers(client: pg.Client, errors: ErrorList): Promise<number> {
  const { rows } = await client.query<{ external_id: string }>(selectRenumberedLeavers);
  for (const { external_id } of rows) {
    errors.add('removal_unconfirmed', external_id, reasons.another_record as string);
  }
  return rows.length;
}

/** What an answer of the detail endpoint means for the removal of this member; pure. */
export function readAnswer(lookup: MemberLookup, removal: Removal): Answer {
  if (!lookup.found) return lookup.byApi ? 'gone' : 'no_endpoint';
  const { record } = lookup;
  if (record.kind === 'rejected') return 'unreadable';
  // Left out by the pattern, or anonymous since leaving: the id is what such a record still says.
  if (record.kind !== 'member') {
    return record.externalId === removal.external_id ? 'not_a_member' : 'another_record';
  }
  const { externalId, kennitala, isMember } = record.member;
  if (externalId !== removal.external_id || kennitala !== removal.kennitala) {
    return 'another_record';
  }
  return isMember ? 'still_a_member' : 'not_a_member';
}

async function askOneByOne(
  confirming: Confirming,
  removals: Removal[],
): Promise<Map<Removal, Answer>> {
  const { django, concurrency, signal } = confirming;
  const answers = new Map<Removal, Answer>();
  const ask = async (removal: Removal) => {
    if (removal.external_id === null || removal.superseded) return;
    try {
      answers.set(removal, readAnswer(await django.getMember(removal.external_id), removal));
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof SyncError)) throw error;
      answers.set(removal, 'unanswered');
    }
  };
  await pMap(removals, ask, { concurrency });
  return answers;
}

/**
 * Whether the register finds a member by id at all, asked for one that its list shows, and answers with
 * that very member: only then does 404 mean that a member is gone.
 */
export async function detailEndpointExists({
  client,
  django,
  signal,
}: Pick<Confirming, 'client' | 'django' | 'signal'>): Promise<boolean> {
  const staged = await client.query<{ external_id: string }>(
    'select external_id from incoming where is_member limit 1',
  );
  const listed = staged.rows[0]?.external_id ?? (await firstListedMember(django));
  if (listed === undefined) return false;
  try {
    const lookup = await django.getMember(listed);
    return (
      lookup.found && lookup.record.kind === 'member' && lookup.record.member.externalId === listed
    );
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof SyncError)) throw error;
    return false;
  }
}

async function firstListedMember(django: DjangoClient): Promise<string | undefined> {
  for await (const page of django.getMembers()) {
    for (const member of page.members) if (member.isMember) return member.externalId;
  }
  return undefined;
}

// A walk that is complete and does not show a member confirms that the register has no such member.
async function askByWalk(
  { django, signal }: Confirming,
  open: Removal[],
  answers: Map<Removal, Answer>,
): Promise<void> {
  const byId = new Map(
    open.filter(({ superseded }) => !superseded).map((removal) => [removal.external_id, removal]),
  );
  const byKennitala = new Map(open.map((removal) => [removal.kennitala, removal]));
  const seen = new Set<Removal>();
  const pageOf = new Map<string, number>();
  const proof = emptyProof(1);
  let unidentified = false;
  const look = (page: MembersPage) => {
    addPage(proof, page);
    for (const { externalId } of page.members) {
      if ((pageOf.get(externalId) ?? page.index) !== page.index) proof.duplicates_across_pages += 1;
      pageOf.set(externalId, page.index);
    }
    // A record that names nobody may be any of them.
    unidentified ||= page.rejections.some(({ externalId, kennitala }) => !externalId && !kennitala);
    const members = page.members.filter((member) => member.isMember);
    for (const { externalId, kennitala } of [...members, ...page.rejections]) {
      for (const removal of [byId.get(externalId ?? ''), byKennitala.get(kennitala ?? '')])
        if (removal) seen.add(removal);
    }
  };
  let failed = false;
  try {
    for await (const page of django.getMembers()) look(page);
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof SyncError)) throw error;
    failed = true;
  }
  const proven = !failed && !unidentified && judgeWalk(proof, false).complete;
  for (const removal of open) {
    answers.set(removal, seen.has(removal) ? 'still_a_member' : proven ? 'gone' : 'unanswered');
  }
}
