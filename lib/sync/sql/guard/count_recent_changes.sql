-- What runs of the last $1 hours changed, class by class. A run ends and writes its audit rows at the same
-- now().
with window_start as (
  select now() - make_interval(hours => $1::int) as at
)
select
  coalesce(sum(c.additions), 0)::int as additions,
  coalesce(sum(c.updates), 0)::int as updates,
  coalesce(sum(c.removals), 0)::int as removals
from public.sync_log r
cross join window_start w
-- Run by run through the index: most rows of the audit trail are often of a first load, which does not count.
-- A range, because with "=" the planner expects a share of them for every run and reads all, once a run.
cross join lateral (
  select
    count(*) filter (where action in ('add', 'reactivate')) as additions,
    count(*) filter (where action = 'update') as updates,
    count(*) filter (where action = 'remove') as removals
  from public.member_changes
  where run_id between r.id and r.id and changed_at > w.at
) c
where r.counts_towards_limits and coalesce(r.finished_at, r.sync_timestamp at time zone 'UTC') > w.at
