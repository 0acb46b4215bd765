import type { DjangoClient } from '../django/client.ts';
import { DjangoHttpError, DjangoShapeError } from '../django/errors.ts';
import type { MembersPage } from '../django/types.ts';
import { SyncError } from '../errors.ts';
import { askAgain, askPages, type PageReply, pagesAreTrue } from './memberPages.ts';
import type { Snapshot } from './snapshot.ts';
import markBlocked from './sql/guard/mark_blocked.sql';
import markConfirmed from './sql/guard/mark_confirmed.sql';
import selectLongRefused from './sql/guard/select_long_refused.sql';
import selectToConfirm from './sql/guard/select_to_confirm.sql';
import type { Run } from './types.ts';
import { walkAgain } from './walkProof.ts';

/** A change that takes a vote or gives one back. */
export interface Doubt {
  member_id: number;
  action: 'remove' | 'reactivate';
  external_id: string | null;
  kennitala: string;
  /** Its Django id is a member in another row now: only a walk can show whether its kennitala is one's. */
  superseded: boolean;
  /** Why this is no member, in the words of the member's own page. */
  reason?: string | undefined;
}

/** What the register said of a change. */
export type Finding =
  /** The member's own page is a 404, asked twice. */
  | 'gone'
  /** No walk of two shows this member; nobody was asked about one person. */
  | 'unlisted'
  | 'not_a_member'
  | 'still_a_member'
  | 'another_record'
  | 'unreadable'
  /** A reply that says nothing of this member: an error, a login page, a list. */
  | 'refused'
  /** A reply that is none of the member's page: a gateway's 404, an old one from a cache, none to ask for. */
  | 'unclear'
  | 'unproven'
  | 'unanswered';

const unconfirmed: Partial<Record<Finding, string>> = {
  still_a_member: 'the register still has this member, though the list did not show it',
  another_record:
    'the register answered with another person or kennitala than the row here has; compare the two, and check that DJANGO_MEMBERS_PATH/<id>/ answers with the member of that id',
  unreadable: 'the register answered with a record that could not be read; nothing was removed',
  refused: 'the register answered with an error or with no record; nothing was removed',
  unproven:
    'the second walk that was to confirm it did not see the whole register; nothing was removed',
  unanswered:
    'the register did not answer in time whether this member is gone; nothing was removed',
};

/** The longest share of a run's time that confirming takes, and of that the pages of members. */
const SHARE_OF_TIME = 1 / 2;
const DEFAULT_BUDGET_MS = 5 * 60_000;

/**
 * Asks the register about every removal and every member who comes back, unless it is held, and marks in the
 * plan what it said. What it does not confirm is set aside. Each is asked for by id while such pages exist.
 * Where they do not, or say nothing of a leaver for a day, a second walk answers for removals, and the list itself for the others, if it is not
 * old. Returns how many removals are of members that the register still has: the walk had missed those.
 * Takes at most half of the time that is left. Throws only when the run itself must end.
 */
export async function confirmPlan(
  run: Run,
  django: DjangoClient,
  snapshot: Snapshot,
): Promise<number> {
  const { client, context } = run;
  const isFresh = snapshot.proof.stale_pages === 0;
  const asks = context.config.sync.SYNC_CONFIRM_REMOVALS !== 'never';
  const { rows } = await client.query<Doubt>(selectToConfirm, [run.mode === 'selected']);
  // Even where nobody is asked, an old list gives nobody back.
  const doubts = rows.filter(({ action }) => asks || (action === 'reactivate' && !isFresh));
  if (doubts.length === 0) return 0;
  await run.progress.report('confirm');
  const findings = asks ? await ask(run, django, doubts) : new Map<Doubt, Finding>();
  const outcomes = doubts.map((doubt) => {
    const finding = findings.get(doubt) ?? 'unclear';
    return { doubt, finding, problem: problemWith(doubt, finding, isFresh) };
  });
  for (const { doubt, problem } of outcomes) {
    if (problem) snapshot.errors.add(problem.code, doubt.external_id, problem.message);
  }
  await client.query(markConfirmed, [
    doubts.map(({ member_id }) => member_id),
    outcomes.map(({ finding }) => finding),
    outcomes.map(({ problem }) => problem?.code ?? null),
    doubts.map(({ reason }) => reason ?? null),
  ]);
  if (outcomes.some(({ problem }) => problem)) await setDependentsAside(run, snapshot);
  return outcomes.filter(
    ({ doubt, finding }) => doubt.action === 'remove' && finding === 'still_a_member',
  ).length;
}

// One change that waits lets another wait, and that one the next.
async function setDependentsAside({ client }: Run, { errors }: Snapshot): Promise<void> {
  for (;;) {
    const { rows } = await client.query<{ external_id: string }>(markBlocked, [false]);
    if (rows.length === 0) return;
    for (const { external_id } of rows) errors.add('change_waits', external_id, waits);
  }
}

const waits =
  'it needs the kennitala of a former member whose return or removal the register did not confirm; a later run tries again';

interface Problem {
  code: string;
  message: string;
}

/** Why a finding does not confirm a change; undefined where it does. Pure. */
export function problemWith(
  { action }: Doubt,
  finding: Finding,
  isFresh: boolean,
): Problem | undefined {
  if (action === 'remove') {
    const message = unconfirmed[finding];
    return message === undefined ? undefined : { code: 'removal_unconfirmed', message };
  }
  if (finding === 'still_a_member' || (finding === 'unclear' && isFresh)) return undefined;
  const why =
    finding === 'unclear'
      ? 'the list came from a cache and is old'
      : `the register's own page of this member does not say so (${finding})`;
  return {
    code: 'reactivation_unconfirmed',
    message: `the list shows this former member again, but ${why}; nobody was given back`,
  };
}

async function ask(run: Run, django: DjangoClient, doubts: Doubt[]): Promise<Map<Doubt, Finding>> {
  const findings = new Map<Doubt, Finding>();
  const budget = startBudget(run);
  try {
    const askable = doubts.filter((doubt) => doubt.external_id !== null && !doubt.superseded);
    const ids = askable.map(({ external_id }) => external_id as string);
    if (ids.length > 0 && (await pagesAreTrue(run, django, ids, budget.forPages))) {
      const replies = await askPages(run, django, ids, budget.forPages);
      await askAgain(run, django, replies, budget.forPages);
      for (const doubt of askable) {
        const reply = replies.get(doubt.external_id as string);
        findings.set(doubt, readReply(reply, doubt));
        doubt.reason = wordsOf(reply);
      }
    }
    const long = await longRefused(run, findings);
    const open = doubts.filter(
      (doubt) =>
        doubt.action === 'remove' &&
        ((findings.get(doubt) ?? 'unclear') === 'unclear' || long.has(doubt)),
    );
    if (open.length > 0) await askByWalk(run, django, open, findings, budget.forAll);
    return findings;
  } finally {
    budget.stop();
  }
}

// Some registers show no page of who has left. After a day of whole walks without the member, another walk answers,
// as where nobody has a page.
async function longRefused({ client }: Run, findings: Map<Doubt, Finding>): Promise<Set<Doubt>> {
  const refused = [...findings].flatMap(([doubt, found]) => (found === 'refused' ? doubt : []));
  if (refused.length === 0) return new Set();
  const { rows } = await client.query<{ external_id: string }>(selectLongRefused, [
    refused.map(({ external_id }) => external_id),
    unconfirmed.refused,
  ]);
  const long = new Set(rows.map(({ external_id }) => external_id));
  return new Set(refused.filter(({ external_id }) => long.has(external_id ?? '')));
}

function wordsOf(reply: PageReply | undefined): string | undefined {
  if (!reply || reply instanceof SyncError || !reply.found) return undefined;
  return reply.record.kind === 'member' ? reply.record.member.notMember : undefined;
}

function startBudget({ context }: Run) {
  const left = context.deadline ? context.deadline.getTime() - Date.now() : DEFAULT_BUDGET_MS * 2;
  const budgetMs = Math.max(0, left * SHARE_OF_TIME);
  const [pages, all] = [new AbortController(), new AbortController()];
  const over = new SyncError('deadline_exceeded', 'The time for confirming was over.');
  const timers = [
    setTimeout(() => pages.abort(over), budgetMs * SHARE_OF_TIME),
    setTimeout(() => all.abort(over), budgetMs),
  ];
  return {
    forPages: AbortSignal.any([context.signal, pages.signal]),
    forAll: AbortSignal.any([context.signal, all.signal]),
    stop: () => timers.forEach(clearTimeout),
  };
}

/** What the page of a member means for a change; pure. */
export function readReply(reply: PageReply | undefined, doubt: Doubt): Finding {
  if (reply === undefined) return 'unanswered';
  if (reply instanceof SyncError) {
    if (reply.code === 'invalid_request') return 'unclear';
    const wasGiven = reply instanceof DjangoHttpError || reply instanceof DjangoShapeError;
    return wasGiven ? 'refused' : 'unanswered';
  }
  if (reply.stale) return 'unclear';
  if (!reply.found) return reply.byApi ? 'gone' : 'unclear';
  const { record } = reply;
  if (record.kind === 'rejected') {
    const { externalId, kennitala } = record.rejection;
    return externalId || kennitala ? 'unreadable' : 'refused';
  }
  // Left out by the pattern, or anonymous since leaving: the id is what such a record still says.
  if (record.kind !== 'member') {
    return record.externalId === doubt.external_id ? 'not_a_member' : 'another_record';
  }
  const { externalId, kennitala, isMember } = record.member;
  if (externalId !== doubt.external_id || kennitala !== doubt.kennitala) return 'another_record';
  return isMember ? 'still_a_member' : 'not_a_member';
}

// A walk that is complete and does not show a member confirms that the register has no such member.
async function askByWalk(
  run: Run,
  django: DjangoClient,
  open: Doubt[],
  findings: Map<Doubt, Finding>,
  budget: AbortSignal,
): Promise<void> {
  const byId = new Map(
    open.filter(({ superseded }) => !superseded).map((doubt) => [doubt.external_id, doubt]),
  );
  const byKennitala = new Map(open.map((doubt) => [doubt.kennitala, doubt]));
  const seen = new Set<Doubt>();
  const look = ({ members, rejections }: MembersPage) => {
    const listed = members.filter((member) => member.isMember);
    for (const { externalId, kennitala } of [...listed, ...rejections]) {
      for (const doubt of [byId.get(externalId ?? ''), byKennitala.get(kennitala ?? '')])
        if (doubt) seen.add(doubt);
    }
  };
  const proven = await walkAgain(run, django, look, budget);
  for (const doubt of open) {
    findings.set(doubt, seen.has(doubt) ? 'still_a_member' : proven ? 'unlisted' : 'unproven');
  }
}
