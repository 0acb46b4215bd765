import type pg from 'pg';
import type { DjangoClient } from '../django/client.ts';
import { DjangoListChangedError } from '../django/errors.ts';
import { MOST_ROWS } from '../django/page.ts';
import type { MembersPage } from '../django/types.ts';
import { SyncError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { CopyWriter } from './copy.ts';
import { createErrorList } from './findings.ts';
import dropRepeated from './sql/snapshot/drop_repeated.sql';
import findRepeatedIds from './sql/snapshot/find_repeated_ids.sql';
import findRepeatedKennitalas from './sql/snapshot/find_repeated_kennitalas.sql';
import selectRepeated from './sql/snapshot/select_repeated.sql';
import shieldRepeated from './sql/snapshot/shield_repeated.sql';
import { addFormer, addMember, addShields, LEFT_OUT, openIncoming } from './staging.ts';
import type { ErrorList, Run } from './types.ts';
import { addPage, emptyProof, judgeWalk, type WalkProof } from './walkProof.ts';

/** How often the register is walked before a run goes on without removals. */
export const MAX_WALKS = 3;

/** The register as one run saw it, staged in `incoming`. */
export interface Snapshot {
  proof: WalkProof;
  /** Django's clock when the walk began; undefined when it gave none. */
  mark: Date | undefined;
  /** Records received, of whatever kind. */
  fetched: number;
  /** Distinct records that are members by the membership rule. */
  members: number;
  /** Of these, records that may be another member's than the row that has their kennitala; counted by the plan. */
  disputed: number;
  /** Rejected records that name nobody: each may be anybody, so nobody is removed. */
  unidentified: number;
  errors: ErrorList;
}

/** What an undo has seen of the register. */
export const nothingSeen = (): Snapshot => ({
  proof: { ...emptyProof(0), complete: true },
  mark: undefined,
  fetched: 0,
  members: 0,
  disputed: 0,
  unidentified: 0,
  errors: createErrorList(),
});

/**
 * Walks the register once and stages it. Each page is written before the next is asked for, so memory
 * stays flat. Throws what the Django client and pg throw; an incomplete walk is no error but a proof
 * that says so.
 */
export async function takeSnapshot(
  { client, since, context, progress }: Run,
  django: DjangoClient,
  walks: number,
): Promise<Snapshot> {
  await progress.report('fetch');
  const proof = emptyProof(walks, since ? [] : context.config.sync.SYNC_CANARY_IDS);
  const seen = nothingSeen();
  const incoming = openIncoming(client, seen.errors);
  const { writer } = incoming;
  const oddities: Oddities = { excluded: 0, excludedIds: [], warnings: {}, warningIds: [] };
  let listChanged = false;
  try {
    for await (const page of since ? django.getMembersModifiedSince(since) : django.getMembers()) {
      addPage(proof, page);
      if (page.index === 0) seen.mark = page.serverDate;
      seen.members += page.members.reduce((sum, member) => sum + (member.isMember ? 1 : 0), 0);
      if (page.rejections.length > 0) {
        await writer.settled();
        seen.unidentified += await setAside(client, page, seen.errors);
      }
      noteOddities(oddities, page);
      addPageRows(writer, page);
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
  logOddities(context.log, oddities);
  await writer.end();
  seen.members -= await incoming.shield();
  refuseUnreadable(proof, seen.errors);
  const dropped = await dropDuplicates(client, seen.errors);
  proof.duplicates_across_pages = dropped.acrossPages;
  proof.distinct_members = seen.members - dropped.members;
  return {
    ...seen,
    members: proof.distinct_members,
    fetched: proof.rows,
    proof: judgeWalk({ ...proof, keys: django.requiredKeys() }, listChanged),
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

// A former member without a kennitala, or one left out by the pattern, is staged by id alone.
function addPageRows(writer: CopyWriter, { index, members, former, excluded }: MembersPage): void {
  let ordinal = index * MOST_ROWS;
  for (const member of members) addMember(writer, ordinal++, member);
  for (const id of former) addFormer(writer, ordinal++, id);
  for (const id of excluded.filter(Boolean)) addFormer(writer, ordinal++, id, LEFT_OUT);
}

// Counts the records that could not be read and shields the members they name; returns how many name nobody.
async function setAside(client: pg.Client, page: MembersPage, errors: ErrorList): Promise<number> {
  for (const { code, externalId, message } of page.rejections) {
    errors.add(code, externalId, message);
  }
  await addShields(client, page.rejections, errors);
  return page.rejections.filter(({ externalId, kennitala }) => !externalId && !kennitala).length;
}

/** Ids that a log line shows; all of them are counted. */
const IDS_SHOWN = 100;

interface Oddities {
  excluded: number;
  excludedIds: string[];
  warnings: Record<string, number>;
  warningIds: string[];
}

function noteOddities(oddities: Oddities, { excluded, warnings }: MembersPage): void {
  oddities.excluded += excluded.length;
  for (const id of excluded) {
    if (oddities.excludedIds.length < IDS_SHOWN) oddities.excludedIds.push(id);
  }
  for (const { externalId, message } of warnings) {
    oddities.warnings[message] = (oddities.warnings[message] ?? 0) + 1;
    if (oddities.warningIds.length < IDS_SHOWN) oddities.warningIds.push(externalId);
  }
}

// One line each, however many there are: fifty thousand bad records would write 20 MB an hour.
function logOddities(log: Log, { excluded, excludedIds, warnings, warningIds }: Oddities): void {
  if (excluded > 0) {
    const message = `${excluded} record(s) left out by DJANGO_EXCLUDE_KENNITALA`;
    log('INFO', 'records_excluded', message, { count: excluded, external_ids: excludedIds });
  }
  const count = Object.values(warnings).reduce((sum, each) => sum + each, 0);
  if (count > 0) {
    const message = `${count} field(s) of records could not be used as they are`;
    log('WARNING', 'record_warning', message, { count, warnings, external_ids: warningIds });
  }
}

const repeatedWords: Record<string, string> = {
  duplicate_record: 'the register listed this record more than once',
  duplicate_kennitala: 'another record has the same kennitala; that one was used',
};

interface Repeated {
  external_id: string;
  code: string;
  is_member: boolean;
  across_pages: boolean;
}

/** One record, one member: what is dropped is counted, and shields the member that it might have meant. */
export async function dropDuplicates(
  client: pg.Client,
  errors: ErrorList,
): Promise<{ members: number; acrossPages: number }> {
  const byId = await client.query(findRepeatedIds);
  if (byId.rowCount) await client.query(dropRepeated);
  const byKennitala = await client.query(findRepeatedKennitalas);
  if (byKennitala.rowCount) await client.query(dropRepeated);
  if (!byId.rowCount && !byKennitala.rowCount) return { members: 0, acrossPages: 0 };
  await client.query(shieldRepeated);
  const { rows } = await client.query<Repeated>(selectRepeated);
  for (const { external_id, code } of rows) {
    errors.add(code, external_id, repeatedWords[code] as string);
  }
  return {
    members: rows.filter((row) => row.is_member).length,
    acrossPages: rows.filter((row) => row.across_pages).length,
  };
}
