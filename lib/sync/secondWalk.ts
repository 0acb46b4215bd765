import type { DjangoClient } from '../django/client.ts';
import type { MembersPage } from '../django/types.ts';
import { SyncError } from '../errors.ts';
import type { Run } from './session.ts';
import { addPage, emptyProof, judgeWalk } from './walkProof.ts';

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
