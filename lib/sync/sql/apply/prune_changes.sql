-- Looks at the oldest rows only, and at many of them only where the first are due, so that no run is slow
-- because of it: what is left goes with the next. $1: days. Triggers of others that follow find what they name; this
-- statement itself is read before.
delete from public.member_changes
using (
  select set_config('search_path', current_setting('membership_sync.writing_path', true), true) as path,
    set_config('row_security', 'on', true) as policies
) open
where path is not null and policies is not null and (run_id, id) in (
  select run_id, id
  from (select run_id, id, changed_at from public.member_changes order by run_id, id limit 50000) oldest
  where changed_at < now() - make_interval(days => $1::int)
    and exists (
      select from (select changed_at from public.member_changes order by run_id, id limit 1000) first
      where changed_at < now() - make_interval(days => $1::int)
    )
  union all
  -- Of runs that are yet to come: their numbers have started over, so they are not among the first. What the
  -- new numbers have reached by then goes with theirs, after twice the days at most.
  (
    select run_id, id
    from public.member_changes
    where run_id > (select max(id) from public.sync_log)
      and changed_at < now() - make_interval(days => $1::int)
    limit 50000
  )
)
