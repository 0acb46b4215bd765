-- The changes of run $1, newest first. $2: only before this change, $3: how many.
with undo_run as materialized (
  select id from public.sync_log where details ->> 'undo' = $1::int::text
)
select c.id, c.run_id, c.changed_at, c.action, c.fields, c.evidence, c.confirmed, c.reason, c.before, c.after,
  l.sync_type, l.details ->> 'caller' as caller, l.details ->> 'approved_by' as approved_by,
  (l.details ->> 'undo')::int as undoes,
  (
    select min(u.run_id) from public.member_changes u
    where u.member_id = c.member_id and u.run_id in (select id from undo_run)
  ) as undone_by
from public.member_changes c
left join public.sync_log l on l.id = c.run_id
where c.run_id = $1::int and ($2::bigint is null or c.id < $2::bigint)
order by c.id desc
limit $3::int
