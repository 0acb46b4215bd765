import { queryPooled } from '../../lib/database.ts';
import { maskKennitala } from '../../lib/kennitala.ts';
import { isPersonalId, shownId } from '../../lib/redact.ts';
import type { Credential } from '../../lib/secrets.ts';
import type { Held, PreviewedChange } from '../../lib/sync/types.ts';
import type { SyncStatus } from '../status/status.ts';
import { type Made, madeKey } from './look.ts';
import daysOfMonth from './sql/days_of_month.sql';
import lastRunStatement from './sql/last_run.sql';
import madeSinceStatement from './sql/made_since.sql';
import nameMembers from './sql/name_members.sql';
import readFactsStatement from './sql/read_facts.sql';
import readMembers from './sql/read_members.sql';
import runsOfMonth from './sql/runs_of_month.sql';

/** A member that a search has found. */
export interface Found {
  id: number;
  external_id: string | null;
  /** Masked. */
  kennitala: string;
  name: string;
  may_vote: boolean;
}

/** Members of one search. */
export const MOST_FOUND = 50;

/** Rows that a search reads at a time. */
const ROWS = 20_000;

/**
 * Members by a part of their name, whatever its accents, or by all of their Django id, those who may vote first. A
 * single letter is in too many names. It reads every row, because
 * the server may log the values that a statement has. Throws what pg throws.
 */
export async function search(database: Credential, part: string): Promise<Found[]> {
  const wanted = plain(part);
  let found: Found[] = [];
  for (let after: number | undefined = 0; after !== undefined; ) {
    const rows: Found[] = await queryPooled<Found>(database, readMembers, [after, ROWS]);
    const fitting = rows.filter(
      // Accents alone are in every name.
      (row) => row.external_id === part || (wanted.length > 1 && plain(row.name).includes(wanted)),
    );
    found = [...found, ...fitting].sort(votersByName).slice(0, MOST_FOUND + 1);
    after = rows.length < ROWS ? undefined : rows.at(-1)?.id;
  }
  return found.map(({ external_id: id, ...row }) => ({
    ...row,
    // Other services put what they like there, and ids are in logs and addresses.
    external_id: id !== null && isPersonalId(id) ? null : id,
    kennitala: maskKennitala(row.kennitala),
  }));
}

const plain = (name: string) =>
  name.normalize('NFD').replace(/\p{M}/gu, '').replace(/\s+/g, ' ').trim().toLowerCase();

const { compare } = new Intl.Collator('is');
const votersByName = (a: Found, b: Found) =>
  Number(b.may_vote) - Number(a.may_vote) || compare(a.name, b.name) || a.id - b.id;

/** A run as a line of the history. */
export interface RunLine {
  id: number;
  sync_type: string;
  at: Date;
  mode: string | null;
  status: string;
  added: number;
  updated: number;
  /** Of the updated ones, those that got another kennitala. */
  kennitala: number;
  returned: number;
  removed: number;
  errors: number;
  caller: string | null;
  approved_by: string | null;
  undoes: number | null;
  held: Held | null;
  error_code: string | null;
}

/** A day of the chart. */
export interface DayLine {
  day: string;
  members: number;
  joined: number;
  left: number;
  changed: number;
}

/** Runs of one page of a month; there are 744 hours in the longest. */
export const MOST_RUNS = 5_000;

/** The runs of a month (YYYY-MM), newest first. Throws what pg throws. */
export const readRuns = (
  database: Credential,
  month: string,
  before?: number,
): Promise<RunLine[]> =>
  queryPooled<RunLine>(database, runsOfMonth, [...boundsOf(month), MOST_RUNS, before ?? null]);

/** All of them, however many. */
export async function readAllRuns(database: Credential, month: string): Promise<RunLine[]> {
  const runs: RunLine[] = [];
  for (let last = MOST_RUNS; last === MOST_RUNS; ) {
    const part = await readRuns(database, month, runs.at(-1)?.id);
    runs.push(...part);
    last = part.length;
  }
  return runs;
}

/** The days of a month until now, oldest first. Throws what pg throws. */
export const readDays = (database: Credential, month: string): Promise<DayLine[]> =>
  queryPooled<DayLine>(database, daysOfMonth, boundsOf(month));

// Times of Iceland are UTC all the year.
function boundsOf(month: string): [from: string, before: string] {
  const start = new Date(`${month}-01T00:00:00Z`);
  const end = new Date(start);
  end.setUTCMonth(end.getUTCMonth() + 1);
  return [start.toISOString().replace('Z', ''), end.toISOString().replace('Z', '')];
}

/** The name and the masked kennitala behind each Django id that has a row here. Throws what pg throws. */
export async function readNames(
  database: Credential,
  ids: (string | null)[],
): Promise<Map<string, { name: string; kennitala: string }>> {
  const rows = await queryPooled<{ external_id: string; name: string; kennitala: string }>(
    database,
    nameMembers,
    [ids.filter((id) => id !== null)],
  );
  return new Map(
    rows.map(({ external_id, name, kennitala }) => [
      external_id,
      { name, kennitala: maskKennitala(kennitala) },
    ]),
  );
}

/** What the page says of how things are, besides what syncStatus answers. */
export interface PageFacts {
  /** Everybody who may vote, from the register and from other systems. */
  voters: number;
  /** When a run last read the register, also one that holds changes back. */
  read_at: Date | null;
}

/** What syncStatus does not say. Where no other system has rows, its own number is that of all. Throws what pg throws. */
export async function readFacts(
  database: Credential,
  { active, other_sources }: SyncStatus['members'],
): Promise<PageFacts> {
  const [facts] = await queryPooled<{ voters: number | null; read_at: Date | null }>(
    database,
    readFactsStatement,
    [other_sources > 0],
  );
  return { voters: facts?.voters ?? active, read_at: facts?.read_at ?? null };
}

/** The last run that has ended, for `readMade`. Throws what pg throws. */
export async function readLastRun(database: Credential): Promise<number> {
  const [last] = await queryPooled<{ id: number }>(database, lastRunStatement);
  return last?.id ?? 0;
}

/** What the runs after this one have changed. Throws what pg throws. */
export async function readMade(database: Credential, after: number): Promise<Made> {
  const rows = await queryPooled<{
    run_id: number;
    action: PreviewedChange['action'];
    external_id: string | null;
    approved_by: string | null;
  }>(database, madeSinceStatement, [after]);
  return new Map(
    rows.map((row) => [madeKey({ ...row, external_id: shownId(row.external_id) }), row]),
  );
}
