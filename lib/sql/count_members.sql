-- The sizes that limits are measured against: active members from Django, all active members, and what
-- runs of the last $1 hours changed, class by class.
select
  (select count(*) from public.members where is_active and sync_source = 'django')::int as active,
  count(*) filter (where c.action in ('add', 'reactivate'))::int as additions,
  count(*) filter (where c.action = 'update')::int as updates,
  count(*) filter (where c.action = 'remove')::int as removals
from public.member_changes c
join public.sync_log r on r.id = c.run_id and r.counts_towards_limits
where c.changed_at > now() - make_interval(hours => $1::int)
