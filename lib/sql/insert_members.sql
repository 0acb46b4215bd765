-- New members and their audit rows. $1: the run, $2: its time.
with added as (
  insert into public.members
    (kennitala, name, email, phone, is_active, added_at, sync_source, external_id, last_verified_at)
  select kennitala, name, email, phone, true, $2::timestamptz at time zone 'UTC', 'django', external_id,
    $2::timestamptz at time zone 'UTC'
  from plan
  where action = 'add' and held is null
  returning id, kennitala, name, email, phone, external_id
)
insert into public.member_changes (run_id, member_id, action, fields, before, after)
select $1::int, id, 'add', array['kennitala', 'name', 'email', 'phone', 'external_id', 'is_active'], null,
  jsonb_build_object(
    'kennitala', kennitala, 'name', name, 'email', email, 'phone', phone,
    'external_id', external_id, 'is_active', true, 'removed_at', null
  )
from added
