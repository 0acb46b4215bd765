import pMap from 'p-map';
import type { DjangoClient } from '../django/client.ts';
import type { MemberLookup, MembersPage } from '../django/types.ts';
import { SyncError } from '../errors.ts';
import type { Run } from './session.ts';
import type { Snapshot } from './snapshot.ts';
import markRemovals from './sql/guard/mark_removals.sql';
import selectRemovals from './sql/guard/select_removals.sql';
import { addPage, emptyProof, judgeWalk } from './walkProof.ts';

export interface Removal {
  member_id: number;
  external_id: string | null;
  kennitala: string;
  /** Its Django id is a member in another row now: only a walk can show whether its kennitala is one's. */
  superseded: boolean;
}

/** What a reply of the register means for a removal. */
type Finding =
  | 'gone'
  /** 404, but not in the API's own words: from a proxy, or because there is no such route. */
  | 'no_endpoint'
  | 'not_a_member'
  | 'still_a_member'
  | 'another_record'
  | 'unreadable'
  | 'unanswered';

const reasons: Partial<Record<Finding, string>> = {
  still_a_member: 'the register still has this member, though the list did not show it',
  another_record:
    'the register answered with another person or kennitala than the row here has; compare the two, and check that DJANGO_MEMBERS_PATH/<id>/ answers with the member of that id',
  unreadable: 'the register answered with a record that could not be read; nothing was removed',
  unanswered: 'the register did not answer whether this member is gone; nothing was removed',
};

/**
 * Asks the register about every removal that is not held, one by one, and marks in the plan what it said; a
 * removal that it does not confirm is set aside. Where there is no detail endpoint, or a row has no Django
 * id of its own, a second walk answers instead. Returns how many of them the register still has: the walk
 * had missed those. Throws only when the run itself must end.
 */
export async function confirmRemovals(
  run: Run,
  django: DjangoClient,
  { errors, proof }: Snapshot,
): Promise<number> {
  if (!mustConfirm(run, proof)) return 0;
  const { client } = run;
  const { rows: removals } = await client.query<Removal>(selectRemovals, [run.mode === 'selected']);
  if (removals.length === 0) return 0;
  await run.progress.report('confirm');
  const findings = await ask(run, django, removals);
  const answers = removals.map((removal) => findings.get(removal) ?? 'unanswered');
  removals.forEach(({ external_id }, index) => {
    const reason = reasons[answers[index] as Finding];
    if (reason !== undefined) errors.add('removal_unconfirmed', external_id, reason);
  });
  await client.query(markRemovals, [
    removals.map(({ member_id }) => member_id),
    answers,
    answers.map((answer) => reasons[answer] === undefined),
  ]);
  return answers.filter((answer) => answer === 'still_a_member').length;
}

// A complete walk of a cursor list in the order of its ids cannot have missed a row; any other can.
function mustConfirm({ context }: Run, proof: Snapshot['proof']): boolean {
  const { SYNC_CONFIRM_REMOVALS: when } = context.config.sync;
  if (when === 'auto') return !(proof.ordered_by_id && proof.complete);
  return when === 'always';
}

async function ask(
  run: Run,
  django: DjangoClient,
  removals: Removal[],
): Promise<Map<Removal, Finding>> {
  const findings = await askOneByOne(run, django, removals);
  const open = removals.filter(
    (removal) => !findings.has(removal) || findings.get(removal) === 'no_endpoint',
  );
  const gone = removals.filter((removal) => findings.get(removal) === 'gone');
  // Only a reply about the very member that was asked for shows that members are found by id.
  const endpointExists = [...findings.values()].some(
    (finding) => finding === 'still_a_member' || finding === 'not_a_member',
  );
  if (gone.length > 0 && !endpointExists && !(await detailEndpointExists(run, django))) {
    open.push(...gone);
  }
  if (open.length > 0) await askByWalk(run, django, open, findings);
  return findings;
}

/** What a reply of the detail endpoint means for the removal of this member; pure. */
export function readLookup(lookup: MemberLookup, removal: Removal): Finding {
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
  { context: { config, signal } }: Run,
  django: DjangoClient,
  removals: Removal[],
): Promise<Map<Removal, Finding>> {
  const findings = new Map<Removal, Finding>();
  const askFor = async (removal: Removal) => {
    if (removal.external_id === null || removal.superseded) return;
    try {
      findings.set(removal, readLookup(await django.getMember(removal.external_id), removal));
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof SyncError)) throw error;
      findings.set(removal, 'unanswered');
    }
  };
  await pMap(removals, askFor, { concurrency: config.django.DJANGO_CONCURRENCY });
  return findings;
}

/**
 * Whether the register finds a member by id at all, asked for one that its list shows, and answers with
 * that very member: only then does 404 mean that a member is gone.
 */
export async function detailEndpointExists(
  { client, context: { signal } }: Run,
  django: DjangoClient,
): Promise<boolean> {
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
  { context: { signal } }: Run,
  django: DjangoClient,
  open: Removal[],
  findings: Map<Removal, Finding>,
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
    findings.set(removal, seen.has(removal) ? 'still_a_member' : proven ? 'gone' : 'unanswered');
  }
}
