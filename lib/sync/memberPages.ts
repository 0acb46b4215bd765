import { setTimeout as delay } from 'node:timers/promises';
import pMap from 'p-map';
import type { DjangoClient } from '../django/client.ts';
import { DjangoError } from '../django/errors.ts';
import type { MemberLookup } from '../django/types.ts';
import { SyncError } from '../errors.ts';
import selectNeighbours from './sql/guard/select_neighbours.sql';
import selectProbes from './sql/guard/select_probes.sql';
import type { Run } from './types.ts';

/** A 404 is asked again after this time: a replica that lags or a gateway that starts says 404 as well. */
const SECOND_LOOK_MS = 500;

/** What came of asking for one member. */
export type PageReply = MemberLookup | SyncError;

/** Asks for members on their own pages, DJANGO_CONCURRENCY at once. Throws only when the run itself must end. */
export async function askPages(
  { context: { config, signal } }: Run,
  django: DjangoClient,
  ids: readonly string[],
  budget?: AbortSignal,
): Promise<Map<string, PageReply>> {
  const replies = new Map<string, PageReply>();
  const askFor = async (id: string) => {
    try {
      replies.set(id, await django.getMember(id, budget));
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof SyncError)) throw error;
      replies.set(id, error);
    }
  };
  await pMap(ids, askFor, { concurrency: config.django.DJANGO_CONCURRENCY });
  return replies;
}

/**
 * Asks again, after half a second, where a reply would take a vote; the second one counts. Nobody loses a vote
 * by one reply. Throws only when the run itself must end.
 */
export async function askAgain(
  run: Run,
  django: DjangoClient,
  replies: Map<string, PageReply>,
  budget?: AbortSignal,
): Promise<void> {
  const doubtful = [...replies].filter(([, reply]) => takesVote(reply)).map(([id]) => id);
  if (doubtful.length === 0) return;
  await delay(SECOND_LOOK_MS);
  run.context.signal.throwIfAborted();
  for (const [id, reply] of await askPages(run, django, doubtful, budget)) replies.set(id, reply);
}

/** Whether a reply says that there is no such member. */
export function takesVote(reply: PageReply): boolean {
  if (reply instanceof SyncError) return false;
  if (!reply.found) return true;
  const { record } = reply;
  return record.kind === 'member' ? !record.member.isMember : record.kind !== 'rejected';
}

/** How many members of the list are tried at most where nobody has neighbours, half of them from either end. */
const PROBES = 6;

interface Probe {
  external_id: string;
  kennitala: string;
}

/**
 * Whether members who certainly are in the list are found on their own pages as what the list says. Asked every
 * time: what they get as well (an error, a 404, one person for every id) says nothing of anybody. Two must be
 * found, since one person for every id may be one of them; more are tried, since one may just have left. After a walk
 * of the whole register one of them must be next to each doubtful member: pages may exist for a part of the list only.
 */
export async function pagesAreTrue(
  run: Run,
  django: DjangoClient,
  doubtful: readonly string[],
  budget?: AbortSignal,
): Promise<boolean> {
  const ask = askOnce(django, budget);
  return unlessRefused(run, async () => {
    const groups = run.mode === 'full' ? await neighboursOf(run, doubtful) : [];
    const probes = new Map(groups.flat().map((probe) => [probe.external_id, probe]));
    if (probes.size < 2) return areFound(await firstListed(run, django, budget), ask);
    return (await areNear(run, groups, ask)) && (await areFound([...probes.values()], ask));
  });
}

/** Whether of the members next to each doubtful one, as earlier runs have seen them, one is found on its own page. */
export async function neighboursAreFound(
  run: Run,
  django: DjangoClient,
  doubtful: readonly string[],
): Promise<boolean> {
  const ask = askOnce(django);
  return unlessRefused(run, async () => areNear(run, await neighboursOf(run, doubtful), ask));
}

interface AskOnce {
  (probe: Probe): Promise<boolean>;
  isAsked(probe: Probe): boolean;
}

function askOnce(django: DjangoClient, budget?: AbortSignal): AskOnce {
  const asked = new Map<string, Promise<boolean>>();
  const ask = (probe: Probe) => {
    const known = asked.get(probe.external_id) ?? isFound(django, probe, budget);
    asked.set(probe.external_id, known);
    return known;
  };
  return Object.assign(ask, { isAsked: (probe: Probe) => asked.has(probe.external_id) });
}

async function unlessRefused({ context }: Run, work: () => Promise<boolean>): Promise<boolean> {
  try {
    return await work();
  } catch (error) {
    context.signal.throwIfAborted();
    if (!(error instanceof SyncError)) throw error;
    return false;
  }
}

async function areNear({ context }: Run, groups: Probe[][], ask: AskOnce): Promise<boolean> {
  const anyIsFound = async (probes: Probe[]) => {
    for (const probe of probes) if (await ask(probe)) return true;
    return false;
  };
  const concurrency = context.config.django.DJANGO_CONCURRENCY;
  return (await pMap(groups, anyIsFound, { concurrency })).every(Boolean);
}

// Those first of whom it is known already.
async function areFound(probes: Probe[], ask: AskOnce): Promise<boolean> {
  const needed = Math.min(2, probes.length);
  let found = 0;
  for (const probe of probes.toSorted((one, two) => +ask.isAsked(two) - +ask.isAsked(one))) {
    if (found === needed) break;
    if (await ask(probe)) found += 1;
  }
  return found > 0 && found === needed;
}

async function neighboursOf({ client, mode }: Run, doubtful: readonly string[]) {
  const { rows } = await client.query<Probe & { id: string }>(selectNeighbours, [
    doubtful,
    mode === 'full',
  ]);
  return [...Map.groupBy(rows, ({ id }) => id).values()];
}

/**
 * Whether the members that every whole walk must show are found on their own pages: a key that sees a part of the
 * register sees a part of the pages. Throws only when the run itself must end.
 */
export async function canariesAreFound(run: Run, django: DjangoClient): Promise<boolean> {
  const ids = run.context.config.sync.SYNC_CANARY_IDS;
  const replies = await askPages(run, django, ids);
  return [...replies].every(([id, reply]) => {
    if (reply instanceof SyncError || !reply.found || reply.record.kind !== 'member') return false;
    const { member } = reply.record;
    return member.isMember && member.externalId === id;
  });
}

// A reply that is an error is one of many; a register that fails or does not reply is not asked again.
async function isFound(
  django: DjangoClient,
  probe: Probe,
  budget: AbortSignal | undefined,
): Promise<boolean> {
  try {
    return isThatMember(await django.getMember(probe.external_id, budget), probe);
  } catch (error) {
    if (error instanceof DjangoError && !error.retryable) return false;
    throw error;
  }
}

function isThatMember(lookup: MemberLookup, { external_id, kennitala }: Probe): boolean {
  if (!lookup.found || lookup.stale || lookup.record.kind !== 'member') return false;
  const { member } = lookup.record;
  return member.isMember && member.externalId === external_id && member.kennitala === kennitala;
}

// A part of the register may show one member only, who may be the one person for every id.
async function firstListed(
  { client }: Run,
  django: DjangoClient,
  budget?: AbortSignal,
): Promise<Probe[]> {
  const staged = await client.query<Probe>(selectProbes);
  if ((staged.rowCount ?? 0) > 1) return staged.rows;
  for await (const page of django.getMembers(budget)) {
    const members = page.members.filter(({ isMember }) => isMember);
    if (members.length === 0) continue;
    const ends = new Set([...members.slice(0, PROBES / 2), ...members.slice(-PROBES / 2)]);
    return [...ends].map(({ externalId, kennitala }) => ({ external_id: externalId, kennitala }));
  }
  return [];
}
