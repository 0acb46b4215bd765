-- The records that wait to be readable, once this run has settled what it found ($3, $4: Django ids and records); and
-- the active members of the register, where they are more than $1. $2: the run saw the whole register, so nothing else
-- waits.
select s.set_aside, case when s.set_aside > $1::int then (
  select count(*)::int from public.members where is_active and sync_source = 'django'
) else 0 end as active
from (
  select coalesce(sum(greatest(o.records, f.records)), 0)::int as set_aside
  from unnest($3::text[], $4::int[]) as f(external_id, records)
  full join (
    select external_id, records from public.open_findings
    where code = 'records_set_aside' and not $2::boolean
      and (external_id = any($3::text[]) or external_id not in (select external_id from pg_temp.incoming))
  ) o using (external_id)
) s
