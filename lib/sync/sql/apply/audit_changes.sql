-- The rows as the plan saw them and as they shall be; a plan that is outdated fails at the update. $1: the run.
insert into public.member_changes (run_id, member_id, action, fields, before, after)
select $1::int, member_id, action, fields, before,
  jsonb_build_object(
    'kennitala', kennitala, 'name', name, 'email', email, 'phone', phone,
    'external_id', external_id, 'is_active', is_active, 'removed_at', removed_at
  )
from plan
where held is null and action in ('update', 'reactivate', 'remove')
