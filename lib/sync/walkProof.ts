import type { DjangoClient } from '../django/client.ts';
import { type MembershipKeys, noKeys } from '../django/membershipKeys.ts';
import { namesOf } from '../django/page.ts';
import type { MembersPage, Pagination } from '../django/types.ts';
import { SyncError } from '../errors.ts';
import type { Run } from './types.ts';

/** What one walk of the register saw, and whether that proves it complete; stored as details.snapshot. */
export interface WalkProof {
  pagination: Pagination | null;
  pages: number;
  rows: number;
  distinct_members: number;
  count_at_start: number | null;
  count_lowest: number | null;
  count_highest: number | null;
  count_at_end: number | null;
  duplicates_across_pages: number;
  retried_pages: number;
  /** Pages that a cache had kept for more than a minute: what they do not show proves nothing. */
  stale_pages: number;
  /** The keys that decide membership and that every record has had, now or in an earlier walk. */
  keys: MembershipKeys;
  /** The only page said nothing of an end, and there is another one behind it. */
  end_unknown: boolean;
  /** Of the members that every whole walk must show, those that this one has not. */
  canaries_missing: string[];
  /** Which walk this was: a walk that fails its proof is made again. */
  walks: number;
  complete: boolean;
  /** What did not agree, in words; empty when complete. */
  mismatches: string[];
}

/** A proof that has seen no page yet. */
export function emptyProof(walks: number, canaries: readonly string[] = []): WalkProof {
  return {
    pagination: null,
    pages: 0,
    rows: 0,
    distinct_members: 0,
    count_at_start: null,
    count_lowest: null,
    count_highest: null,
    count_at_end: null,
    duplicates_across_pages: 0,
    retried_pages: 0,
    stale_pages: 0,
    keys: noKeys,
    end_unknown: false,
    canaries_missing: [...canaries],
    walks,
    complete: false,
    mismatches: [],
  };
}

/** Adds what a page says, in the order of arrival: the last page to arrive gives the count at the end. */
export function addPage(proof: WalkProof, page: MembersPage): void {
  proof.pagination = page.pagination;
  proof.pages += 1;
  proof.rows += page.rows;
  proof.retried_pages += page.retries > 0 ? 1 : 0;
  proof.stale_pages += page.stale ? 1 : 0;
  proof.end_unknown ||= page.isOpen;
  if (proof.canaries_missing.length > 0) {
    const { ids } = namesOf(page);
    proof.canaries_missing = proof.canaries_missing.filter((id) => !ids.has(id));
  }
  if (page.count === undefined) return;
  proof.count_at_start ??= page.count;
  proof.count_lowest = Math.min(proof.count_lowest ?? page.count, page.count);
  proof.count_highest = Math.max(proof.count_highest ?? page.count, page.count);
  proof.count_at_end = page.count;
}

/**
 * Judges a walk that has ended: counts equal from start to end, as many rows as counted, no record on
 * two pages, no old page, an end that is one, and every canary. It is needed but not enough (one row deleted early and one added late agree on all of
 * this), which is why each removal is confirmed at the source as well.
 */
export function judgeWalk(proof: WalkProof, listChanged: boolean): WalkProof {
  const mismatches: string[] = [];
  if (listChanged) {
    mismatches.push('the list changed while it was read: a page was gone, empty or cut');
  }
  if (proof.count_lowest !== proof.count_highest) {
    mismatches.push(`the count went from ${proof.count_at_start} to ${proof.count_at_end}`);
  }
  if (proof.count_at_end !== null && proof.rows !== proof.count_at_end) {
    mismatches.push(`${proof.rows} rows received, ${proof.count_at_end} counted`);
  }
  if (proof.duplicates_across_pages > 0) {
    mismatches.push(`${proof.duplicates_across_pages} records came on two pages`);
  }
  if (proof.canaries_missing.length > 0) {
    mismatches.push(
      `of SYNC_CANARY_IDS ${proof.canaries_missing.join(', ')} were not in the list: the key may see a part only`,
    );
  }
  if (proof.stale_pages > 0) {
    mismatches.push(
      `${proof.stale_pages} pages were older than a minute: a cache before the register answers`,
    );
  }
  if (proof.end_unknown) {
    mismatches.push(
      'the list has another page behind the first, and does not say so: let it have "count" and "next", as Django REST framework writes them',
    );
  }
  return { ...proof, mismatches, complete: mismatches.length === 0 };
}

/**
 * Walks the list once more and gives each page to `look`. Returns whether the walk was whole, so that who was on no
 * page is not in the list: it may have failed, and a record that names nobody may be any member. Throws only when the
 * run itself must end.
 */
export async function walkAgain(
  { context: { config, signal } }: Run,
  django: DjangoClient,
  look: (page: MembersPage) => void,
  budget?: AbortSignal,
): Promise<boolean> {
  const pageOf = new Map<string, number>();
  const proof = emptyProof(1, config.sync.SYNC_CANARY_IDS);
  let unidentified = false;
  try {
    for await (const page of django.getMembers(budget)) {
      addPage(proof, page);
      for (const { externalId } of page.members) {
        if ((pageOf.get(externalId) ?? page.index) !== page.index) {
          proof.duplicates_across_pages += 1;
        }
        pageOf.set(externalId, page.index);
      }
      unidentified ||= page.rejections.some(
        ({ externalId, kennitala }) => !externalId && !kennitala,
      );
      look(page);
    }
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof SyncError)) throw error;
    return false;
  }
  return !unidentified && judgeWalk(proof, false).complete;
}
