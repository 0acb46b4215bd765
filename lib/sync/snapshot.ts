import type pg from 'pg';
import type { DjangoClient } from '../django/client.ts';
import { DjangoListChangedError } from '../django/errors.ts';
import type { MembersPage } from '../django/types.ts';
import { SyncError } from '../errors.ts';
import type { Log } from '../log.ts';
import { copyIncoming } from './copyIncoming.ts';
import type { CopyLines } from './copyLines.ts';
import { createErrorList, type ErrorList } from './errorList.ts';
import type { Progress } from './progress.ts';
import addShields from './sql/snapshot/add_shields.sql';
import dropRepeatedIds from './sql/snapshot/drop_repeated_ids.sql';
import dropRepeatedKennitalas from './sql/snapshot/drop_repeated_kennitalas.sql';
import { addPage, emptyProof, judgeWalk, type WalkProof } from './walkProof.ts';

/** Ordinals of a page begin at its index times this; a page never holds as many rows. */
export const ORDINALS_PER_PAGE = 1_000_000;
/** How often the register is walked before a run goes on without removals. */
export const MAX_WALKS = 3;

/** The register as one run saw it, staged in `incoming`. */
export interface Snapshot {
  proof: WalkProof;
  /** Django's clock when the walk began; undefined when it told none. */
  mark: Date | undefined;
  /** Records received, of whatever kind. */
  fetched: number;
  /** Distinct records that are members by the membership rule. */
  members: number;
  errors: ErrorList;
  /** Rejected records that name nobody: whoever they are must not be removed, so nobody is. */
  unidentified: number;
}

interface Walk {
  client: pg.Client;
  django: DjangoClient;
  since: Date | undefined;
  log: Log;
  progress: Progress;
}

/**
 * Walks the register once and stages it. Each page is written before the next is asked for, so memory
 * stays flat. Throws what the Django client and pg throw; an incomplete walk is no error but a proof
 * that says so.
 */
export async function takeSnapshot(walk: Walk, walks: number): Promise<Snapshot> {
  const { client, django, since, log, progress } = walk;
  await progress.report('fetch');
  await client.query('delete from incoming; delete from shield');
  const proof = emptyProof(walks);
  const errors = createErrorList();
  const writer = copyIncoming(client);
  const snapshot = { mark: undefined as Date | undefined, members: 0, unidentified: 0 };
  let listChanged = false;
  try {
    for await (const page of since ? django.getMembersModifiedSince(since) : django.getMembers()) {
      addPage(proof, page);
      if (page.index === 0) snapshot.mark = page.serverDate;
      snapshot.members += page.members.reduce((sum, member) => sum + (member.isMember ? 1 : 0), 0);
      if (page.rejections.length > 0) {
        await writer.settled();
        snapshot.unidentified += await setAside(client, page, errors);
      }
      logOddities(log, page);
      addLines(writer.lines, page);
      await writer.write();
      const counts = {
        pages_done: proof.pages,
        pages_total: page.pagesTotal ?? null,
        members_fetched: proof.rows,
      };
      await progress.report('fetch', counts, writer.settled);
    }
  } catch (error) {
    if (!(error instanceof DjangoListChangedError)) throw error;
    listChanged = true;
  }
  await writer.end();
  refuseUnreadable(proof, errors);
  const dropped = await dropDuplicates(client, errors);
  proof.duplicates_across_pages = dropped.acrossPages;
  proof.distinct_members = snapshot.members - dropped.members;
  return {
    ...snapshot,
    members: proof.distinct_members,
    fetched: proof.rows,
    errors,
    proof: judgeWalk(proof, listChanged),
  };
}

/** From this many rows on, not one that can be read means that we read them wrongly. */
const UNREADABLE_REGISTER = 10;

// Ending as partial would hide for weeks that a field has another name now.
function refuseUnreadable({ rows }: WalkProof, errors: ErrorList): void {
  if (rows < UNREADABLE_REGISTER || errors.count() < rows) return;
  const codes = new Set(errors.shown().map(({ code }) => code));
  throw new SyncError(
    'django_invalid_response',
    `None of the ${rows} records of the register could be read (${[...codes].join(', ')}). Compare one record with DJANGO_FIELD_MAP.`,
  );
}

// Who is no member and no longer has a kennitala, or is left out by the pattern, is staged by id alone.
function addLines(lines: CopyLines, { index, members, former, excluded }: MembersPage): void {
  let ordinal = index * ORDINALS_PER_PAGE;
  for (const member of members) lines.add(ordinal++, member);
  for (const id of [...former, ...excluded.filter(Boolean)]) lines.addGone(ordinal++, id);
}

// Counts the records that could not be read and shields the members they name; tells how many name nobody.
async function setAside(client: pg.Client, page: MembersPage, errors: ErrorList): Promise<number> {
  for (const { code, externalId, message } of page.rejections) {
    errors.add(code, externalId, message);
  }
  await client.query(addShields, [
    page.rejections.map((rejection) => rejection.externalId ?? null),
    page.rejections.map((rejection) => rejection.kennitala ?? null),
  ]);
  return page.rejections.filter(({ externalId, kennitala }) => !externalId && !kennitala).length;
}

function logOddities(log: Log, page: MembersPage): void {
  if (page.excluded.length > 0) {
    log(
      'INFO',
      'records_excluded',
      `${page.excluded.length} record(s) left out by DJANGO_EXCLUDE_KENNITALA`,
      {
        external_ids: page.excluded,
      },
    );
  }
  for (const { externalId, field, message } of page.warnings) {
    log('WARNING', 'record_warning', message, { external_id: externalId, field });
  }
}

interface Dropped {
  external_id: string;
  kennitala: string;
  is_member: boolean;
  across_pages?: boolean;
}

/** One record, one member: what is dropped is counted, and shields the member that it might have meant. */
export async function dropDuplicates(
  client: pg.Client,
  errors: ErrorList,
): Promise<{ members: number; acrossPages: number }> {
  const ids = await client.query<Dropped>(dropRepeatedIds);
  const kennitalas = await client.query<Dropped>(dropRepeatedKennitalas);
  for (const { external_id } of ids.rows) {
    errors.add('duplicate_record', external_id, 'the register listed this record more than once');
  }
  // A former member's record beside the member's own is history, not an error.
  const doubles = kennitalas.rows.filter((row) => row.is_member);
  for (const { external_id } of doubles) {
    errors.add(
      'duplicate_kennitala',
      external_id,
      'another record has the same kennitala; that one was used',
    );
  }
  const shielded = [...ids.rows, ...doubles];
  if (shielded.length > 0) {
    await client.query(addShields, [
      shielded.map((row) => row.external_id),
      shielded.map((row) => row.kennitala),
    ]);
  }
  return {
    members: shielded.filter((row) => row.is_member).length,
    acrossPages: ids.rows.filter((row) => row.across_pages).length,
  };
}
