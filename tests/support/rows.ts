import type { MemberRecord } from '../../local/mockDjango/people.ts';
import type { Row, TestDatabase } from './database.ts';

/** Stands for the time of the run in rows that a test expects. */
export const NOW = 'the time of the run';
/** When the rows of before were added and last seen in the register. */
export const EARLIER = '2026-01-01T12:00:00';
/** Our ids are these above Django's, so that one is never taken for the other. */
const OUR_IDS = 100;
/** The id that the next new member gets. */
export const NEXT_ID = 201;

/** A record of the register; a value of undefined takes the key out of it. */
export const record = (person: MemberRecord, changes: Row = {}): Row =>
  Object.fromEntries(
    Object.entries({ ...person, ...changes }).filter(([, value]) => value !== undefined),
  );

/** The row of a person whom an earlier run added. */
export const row = (person: MemberRecord, changes: Row = {}): Row => ({
  id: OUR_IDS + person.id,
  kennitala: person.kennitala,
  name: person.name,
  email: person.email,
  phone: person.phone,
  is_active: true,
  added_at: EARLIER,
  removed_at: null,
  sync_source: 'django',
  external_id: String(person.id),
  metadata: null,
  last_verified_at: EARLIER,
  ...changes,
});

/** The same row after a run that saw the person in the register. */
export const seen = (person: MemberRecord, changes: Row = {}): Row =>
  row(person, { last_verified_at: NOW, ...changes });

/** The same row after the sync has removed it. */
export const removed = (person: MemberRecord, changes: Row = {}): Row =>
  row(person, { is_active: false, removed_at: NOW, ...changes });

/** The row of someone whom this run added. */
export const added = (person: MemberRecord, changes: Row = {}): Row =>
  seen(person, { id: NEXT_ID, added_at: NOW, ...changes });

/** Puts rows into the table as they are. */
export async function insertMembers(database: TestDatabase, rows: Row[]): Promise<void> {
  await database.query(
    'insert into public.members select * from jsonb_populate_recordset(null::public.members, $1::jsonb)',
    [JSON.stringify(rows)],
  );
  await database.query(`select setval('public.members_id_seq', ${NEXT_ID}, false)`);
}

/** Every row of the table by id, without the mark of who was not seen; times equal to that of the run read as NOW. */
export async function readMembers(database: TestDatabase, runAt?: string): Promise<Row[]> {
  const rows = await database.query<{ row: Row }>(
    `select to_jsonb(m) - 'unseen_since' as row from public.members m order by id`,
  );
  const time = (value: unknown) =>
    runAt !== undefined && value !== null && Date.parse(`${value}Z`) === Date.parse(runAt)
      ? NOW
      : value;
  return rows.map(({ row: { added_at, removed_at, last_verified_at, ...rest } }) => ({
    ...rest,
    added_at: time(added_at),
    removed_at: time(removed_at),
    last_verified_at: time(last_verified_at),
  }));
}
