import type pg from 'pg';
import { fetchMembers } from './pages.ts';

/** The plain way: fetch everything, then one upsert a member inside one transaction. */
export async function rowwise(client: pg.Client, register: string): Promise<void> {
  const members = await fetchMembers(register);
  await client.query('begin');
  for (const { id, kennitala, name, email, phone } of members) {
    await client.query({
      text: `insert into public.members (kennitala, name, email, phone, external_id, last_verified_at)
        values ($1, $2, $3, $4, $5, now())
        on conflict (kennitala) do update set name = excluded.name, email = excluded.email,
          phone = excluded.phone, external_id = excluded.external_id, last_verified_at = now()`,
      values: [kennitala, name, email, phone, String(id)],
    });
  }
  await client.query('commit');
}
