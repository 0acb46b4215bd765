-- The keys that decide membership and that every record of the last whole walk had, or had to have.
select
  coalesce((details #>> '{snapshot,keys,is_active}')::boolean, false) as is_active,
  coalesce((details #>> '{snapshot,keys,deleted_at}')::boolean, false) as deleted_at
from public.sync_log
where mode = 'full' and status in ('success', 'partial', 'held') and details -> 'snapshot' -> 'keys' is not null
order by id desc
limit 1
