-- New members, and what the database made of them in the audit trail. $1: the run, $2: its time.
with added as (
  insert into public.members
    (kennitala, name, email, phone, is_active, added_at, sync_source, external_id, last_verified_at)
  select kennitala, name, email, phone, true, $2::timestamptz at time zone 'UTC', 'django', external_id,
    $2::timestamptz at time zone 'UTC'
  from pg_temp.applicable
  where action = 'add'
  returning id, kennitala, name, email, phone, external_id, is_active, removed_at
)
insert into public.member_changes (run_id, member_id, action, fields, released, before, after)
select $1::int, a.id, 'add', array['kennitala', 'name', 'email', 'phone', 'external_id', 'is_active'], p.released, null,
  public.member_state(a.kennitala, a.name, a.email, a.phone, a.external_id, a.is_active, a.removed_at)
from added a
left join pg_temp.plan p on p.action = 'add' and p.kennitala = a.kennitala
