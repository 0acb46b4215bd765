-- The members behind one code, in the order of their ids, but for the first $2. $1: a code of attention that names
-- members, or 'suspended'. $3: how many. A row without a Django id is named by nothing.
with last_full as (
  select sync_timestamp from public.sync_log
  where mode = 'full' and status in ('success', 'partial') and details -> 'set_aside' is null
    and coalesce(details -> 'snapshot' ->> 'complete', 'true') = 'true'
  order by id desc limit 1
), waiting as (
  select external_id, since, run_id, error_code, message, records
  from public.open_findings
  where code = $1::text
  union all
  select external_id, last_verified_at at time zone 'UTC', null, null, null, 1
  from public.members
  where sync_source = 'django'
    and (
      $1::text = 'suspended' and is_active is not true and removed_at is null
      or $1::text = 'unseen_members' and is_active
        and (last_verified_at is null or last_verified_at < (select sync_timestamp from last_full))
    )
)
select nullif(external_id, '') as external_id, since, run_id, error_code, message, records
from waiting
order by coalesce(external_id, ''), since, run_id
limit $3::int offset $2::int
