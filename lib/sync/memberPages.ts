import { setTimeout as delay } from 'node:timers/promises';
import pMap from 'p-map';
import type { DjangoClient } from '../django/client.ts';
import { DjangoError } from '../django/errors.ts';
import type { MemberLookup } from '../django/types.ts';
import { SyncError } from '../errors.ts';
import type { Run } from './session.ts';
import selectProbes from './sql/guard/select_probes.sql';

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

/** How many members are tried at most, half of them from either end of the list. */
const PROBES = 6;

interface Probe {
  external_id: string;
  kennitala: string;
}

/**
 * Whether members who certainly are in the list are found on their own pages as what the list says. Asked every
 * time: what they get as well (an error, a 404, one person for every id) says nothing of anybody. Two must be
 * found, since one person for every id may be one of them; more are tried, since one may just have left.
 */
export async function pagesAreTrue(
  { client, context: { signal } }: Run,
  django: DjangoClient,
  budget?: AbortSignal,
): Promise<boolean> {
  const staged = await client.query<Probe>(selectProbes);
  let found = 0;
  try {
    // A part of the register may show one member only, who may be the one person for every id.
    const isEnough = (staged.rowCount ?? 0) > 1;
    const probes = isEnough ? staged.rows : await firstListed(django, budget);
    const needed = Math.min(2, probes.length);
    for (const probe of probes) {
      if (found === needed) break;
      if (await isFound(django, probe, budget)) found += 1;
    }
    return found > 0 && found === needed;
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof SyncError)) throw error;
    return false;
  }
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

async function firstListed(django: DjangoClient, budget?: AbortSignal): Promise<Probe[]> {
  for await (const page of django.getMembers(budget)) {
    const members = page.members.filter(({ isMember }) => isMember);
    if (members.length === 0) continue;
    const ends = new Set([...members.slice(0, PROBES / 2), ...members.slice(-PROBES / 2)]);
    return [...ends].map(({ externalId, kennitala }) => ({ external_id: externalId, kennitala }));
  }
  return [];
}
