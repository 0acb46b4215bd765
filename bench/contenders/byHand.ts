import type pg from 'pg';
import type { MemberRecord } from '../../local/mockDjango/people.ts';
import { fetchMembers } from './pages.ts';

interface MemberRow extends Record<'kennitala' | 'name' | 'email' | 'phone', string | null> {
  id: number;
  external_id: string;
  is_active: boolean;
}

const insert = `insert into public.members (external_id, kennitala, name, email, phone, sync_source, last_verified_at)
  select *, 'django', now() from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])`;
const update = `update public.members m
  set kennitala = r.kennitala, name = r.name, email = r.email, phone = r.phone, is_active = true, removed_at = null
  from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
    r(external_id, kennitala, name, email, phone)
  where m.external_id = r.external_id and m.sync_source = 'django'`;
const remove = `update public.members set is_active = false, removed_at = now() where id = any($1::int[])`;
const stamp = 'update public.members set last_verified_at = now() where id = any($1::int[])';

/** What most people would write: read both sides, compare in JavaScript, write the difference and the stamp. */
export async function byHand(client: pg.Client, register: string): Promise<void> {
  const records = await fetchMembers(register);
  const { rows } = await client.query<MemberRow>(
    `select id, external_id, kennitala, name, email, phone, is_active
     from public.members where sync_source = 'django'`,
  );
  const known = new Map(rows.map((row) => [row.external_id, row]));
  const added: MemberRecord[] = [];
  const changed: MemberRecord[] = [];
  const seen: number[] = [];
  for (const record of records) {
    const row = known.get(String(record.id));
    known.delete(String(record.id));
    if (!row) {
      added.push(record);
      continue;
    }
    seen.push(row.id);
    if (!row.is_active || columns.some((column) => row[column] !== record[column])) {
      changed.push(record);
    }
  }
  const gone = [...known.values()].filter((row) => row.is_active).map((row) => row.id);
  await client.query('begin');
  if (added.length > 0) await client.query(insert, arraysOf(added));
  if (changed.length > 0) await client.query(update, arraysOf(changed));
  if (gone.length > 0) await client.query(remove, [gone]);
  if (seen.length > 0) await client.query(stamp, [seen]);
  await client.query('commit');
}

const columns = ['kennitala', 'name', 'email', 'phone'] as const;
const arraysOf = (records: MemberRecord[]) => [
  records.map(({ id }) => String(id)),
  ...columns.map((column) => records.map((record) => record[column])),
];
