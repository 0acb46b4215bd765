-- What the guard weighs, a row a class of change: the changes of the plan that nothing holds yet, those that runs of the last $1
-- hours applied, the active members from Django, which the limits are shares of, and whether no full run was ever done and nobody is
-- here yet but whom calls for single members have added.
with window_start as (
  select now() - make_interval(hours => $1::int) as at
),
recent as (
  select c.class, sum(c.changes)::int as changes
  from window_start w
  cross join public.sync_log r
  -- Run by run, and as a range: most rows of the audit trail may be of one first load, and a planner that knows
  -- expects as many of any one run.
  cross join lateral (
    select
      case
        when action = 'remove' then 'removals'
        when action = 'update' and 'kennitala' = any(fields) then 'kennitala_changes'
        when action = 'update' then 'updates'
        else 'additions'
      end as class,
      count(*) as changes
    from public.member_changes
    where run_id between r.id and r.id and changed_at > w.at and released is null
    group by 1
  ) c
  where r.counts_towards_limits and coalesce(r.finished_at, r.sync_timestamp at time zone 'UTC') > w.at
  group by c.class
)
select k.class, coalesce(p.changes, 0) as planned, coalesce(n.changes, 0) as recent,
  (select count(*)::int from public.members where is_active and sync_source = 'django') as active,
  not exists (
    select from public.sync_log where mode = 'full' and status in ('success', 'partial')
  ) and not exists (
    select from public.members m
    where m.is_active and m.sync_source = 'django' and m.id not in (
      select c.member_id from public.member_changes c join public.sync_log r on r.id = c.run_id
      where r.mode = 'selected' and c.action = 'add'
    )
  ) as is_first_load
from unnest(array['removals', 'additions', 'updates', 'kennitala_changes']) as k(class)
left join (
  select class, count(*)::int as changes from pg_temp.plan where held is null and set_aside is null group by class
) p using (class)
left join recent n using (class)
