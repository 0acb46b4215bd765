import type pg from 'pg';
import { from } from 'pg-copy-streams';
import type { MemberRecord } from '../../local/mockDjango/people.ts';
import { eachPage } from './pages.ts';

const createRows = `create temp table rows
  (external_id text, kennitala text, name text, email text, phone text)`;

// One join of the register with the members, and everything that differs written to both tables at once.
const apply = `
  with difference as materialized (
    select r.external_id, r.kennitala, r.name, r.email, r.phone, m.id, m.is_active,
      case when m.id is null then 'add' when r.kennitala is null then 'remove' else 'update' end as action,
      jsonb_build_object('kennitala', m.kennitala, 'name', m.name, 'email', m.email, 'phone', m.phone,
        'external_id', m.external_id, 'is_active', m.is_active, 'removed_at', m.removed_at) as before
    from rows r
    full join (select * from public.members where sync_source = 'django') m using (external_id)
    where m.id is null
      or (r.kennitala is null and m.is_active)
      or (r.kennitala is not null and row(m.kennitala, m.name, m.email, m.phone, m.is_active)
        is distinct from row(r.kennitala, r.name, r.email, r.phone, true))
  ), changed as (
    update public.members m
    set kennitala = coalesce(d.kennitala, m.kennitala), name = coalesce(d.name, m.name), email = d.email,
      phone = d.phone, is_active = d.action <> 'remove',
      removed_at = case when d.action = 'remove' then now() at time zone 'UTC' end,
      last_verified_at = now() at time zone 'UTC'
    from difference d
    where m.id = d.id
    returning m.*, d.action, d.before
  ), added as (
    insert into public.members (kennitala, name, email, phone, external_id, sync_source, last_verified_at)
    select kennitala, name, email, phone, external_id, 'django', now() at time zone 'UTC'
    from difference where action = 'add'
    returning *, 'add' as action, null::jsonb as before
  )
  insert into public.member_changes (run_id, member_id, action, fields, before, after)
  select 1, id, action, '{}', before, jsonb_build_object('kennitala', kennitala, 'name', name, 'email', email,
    'phone', phone, 'external_id', external_id, 'is_active', is_active, 'removed_at', removed_at)
  from (select * from changed union all select * from added) written`;

const stamp = `update public.members set last_verified_at = now() at time zone 'UTC'
  where sync_source = 'django' and is_active and last_verified_at < now() at time zone 'UTC'`;

/**
 * The least work with the same rows in `members` and in the audit trail at the end: every page fetched and
 * parsed, five columns copied, one join, one statement that writes. `stamps`: every member seen is stamped.
 */
export async function limit(client: pg.Client, register: string, stamps: boolean): Promise<void> {
  await client.query(createRows);
  const stream = client.query(from('copy rows from stdin'));
  const done = new Promise<void>((resolve, reject) => {
    stream.once('finish', resolve).once('error', reject);
  });
  await eachPage(register, (members) => stream.write(members.map(line).join('')));
  stream.end();
  await done;
  await client.query('begin');
  await client.query(apply);
  if (stamps) await client.query(stamp);
  await client.query('commit');
}

const line = ({ id, kennitala, name, email, phone }: MemberRecord) =>
  `${id}\t${kennitala}\t${name}\t${email ?? '\\N'}\t${phone ?? '\\N'}\n`;
