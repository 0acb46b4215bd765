-- New members and their audit rows. $1: the run, $2: its time.
with added as (
  insert into public.members
    (kennitala, name, email, phone, is_active, added_at, sync_source, external_id, last_verified_at)
  select kennitala, name, email, phone, true, $2::timestamptz at time zone 'UTC', 'django', external_id,
    $2::timestamptz at time zone 'UTC'
  from plan
  where action = 'add' and held is null
  returning id, kennitala, name, email, phone, external_id, is_active, removed_at
)
insert into public.member_changes (run_id, member_id, action, fields, before, after)
select $1::int, a.id, 'add', array['kennitala', 'name', 'email', 'phone', 'external_id', 'is_active'], null, to_jsonb(r)
from added a
-- to_jsonb of a row takes three quarters of the time of jsonb_build_object.
cross join lateral (
  select a.kennitala, a.name, a.email, a.phone, a.external_id, a.is_active, a.removed_at
) r
