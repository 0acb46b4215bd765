-- The members behind one code, in the order of their ids, but for the first $2. $1: a code of attention that names
-- members, or 'suspended'. $3: how many. A row without a Django id is named by nothing.
with last_full as (
  select sync_timestamp from public.sync_log
  where mode = 'full' and status in ('success', 'partial') and details -> 'set_aside' is null
    and coalesce(details -> 'snapshot' ->> 'complete', 'true') = 'true'
  order by id desc limit 1
), marked as materialized (
  select id from public.member_sightings where is_active and unseen_since is not null and sync_source = 'django'
), back_by_hand as (
  select k.id from marked k
  where (select c.action from public.member_changes c where c.member_id = k.id order by c.id desc limit 1) = 'remove'
), waiting as (
  select external_id, since, run_id, error_code, message, records
  from public.open_findings
  where code = $1::text and code <> 'suspended'
  union all
  -- Since when somebody is suspended is known from the first run that found it.
  select m.external_id, case $1::text when 'suspended' then f.since else s.seen_at end, f.run_id, null, null, 1
  from public.members m
  join public.member_sightings s using (id)
  left join public.open_findings f on f.code = 'suspended' and $1::text = f.code and f.external_id = m.external_id
  where m.sync_source = 'django'
    and (
      $1::text = 'suspended' and m.is_active is not true and (m.removed_at is null or f.code is not null)
      or $1::text = 'unseen_members' and m.is_active
        and (s.seen_at is null or s.id in (select id from back_by_hand) or s.seen_at < (select sync_timestamp at time zone 'UTC' from last_full))
    )
)
select nullif(external_id, '') as external_id, since, run_id, error_code, message, records
from waiting
order by coalesce(external_id, ''), since, run_id
limit $3::int offset $2::int
