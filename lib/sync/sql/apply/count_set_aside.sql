-- The records that wait to be readable; and the active members of the register, where they are more than $1.
select s.set_aside, case when s.set_aside > $1::int then (
  select count(*)::int from public.members where is_active and sync_source = 'django'
) else 0 end as active
from (
  select coalesce(sum(records), 0)::int as set_aside from public.open_findings where code = 'records_set_aside'
) s
