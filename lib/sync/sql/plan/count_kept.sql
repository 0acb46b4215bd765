-- How many changes run $1 made, and how many the audit trail has of it; no row when there is no such run.
select
  coalesce(members_added, 0) + coalesce(members_updated, 0)
    + coalesce(members_reactivated, 0) + coalesce(members_removed, 0) as made,
  (select count(*) from public.member_changes where run_id = $1::int)::int as kept
from public.sync_log
where id = $1::int
