-- The runs of some days, newest first, as far as a line needs them. $1 and $2: from and before, in UTC. $3: how many.
-- $4: only before this run.
select id, sync_type, sync_timestamp at time zone 'UTC' as at, mode, status,
  coalesce(members_added, 0) as added, coalesce(members_updated, 0) as updated,
  coalesce(members_kennitala_changed, 0) as kennitala,
  coalesce(members_reactivated, 0) as returned, coalesce(members_removed, 0) as removed,
  coalesce(error_count, 0) as errors,
  details ->> 'caller' as caller, details ->> 'approved_by' as approved_by, (details ->> 'undo')::int as undoes,
  details -> 'held' as held, details -> 'error' ->> 'code' as error_code
from public.sync_log
where sync_timestamp >= $1::timestamp and sync_timestamp < $2::timestamp and ($4::int is null or id < $4::int)
order by id desc
limit $3::int
