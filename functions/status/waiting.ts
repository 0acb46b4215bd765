import { queryPooled } from '../../lib/database.ts';
import { shownId } from '../../lib/redact.ts';
import type { Credential } from '../../lib/secrets.ts';
import type { listedCodes } from './schema.ts';
import listStatement from './sql/list_waiting.sql';

/** Most members of one list. */
const LISTED = 200;

/** A member that waits for a person, or is suspended by hand; named by Django id only. */
export interface Waiting {
  external_id: string | null;
  since: string | null;
  run_id: number | null;
  error_code: string | null;
  message: string | null;
  /** More than one where they name nobody. */
  records: number;
}

export interface WaitingList {
  code: ListedCode;
  members: Waiting[];
  /** Pass it as `skip` for the next ones; null on the last page. */
  next: number | null;
}

type ListedCode = (typeof listedCodes)[number];

/** The members behind one code, in the order of their ids, a page at a time. Throws what pg throws. */
export async function listWaiting(
  database: Credential,
  code: ListedCode,
  skip = 0,
): Promise<WaitingList> {
  const values = [code, skip, LISTED + 1];
  const rows = await queryPooled<Waiting & { since: Date | null }>(database, listStatement, values);
  const members = rows.slice(0, LISTED).map((row) => ({
    ...row,
    external_id: shownId(row.external_id),
    since: row.since?.toISOString() ?? null,
  }));
  return { code, members, next: rows.length > LISTED ? skip + LISTED : null };
}
