-- The changes of member $1, newest first. $2: only before this change, $3: how many, $4 and $5: the first and
-- the last day, in UTC.
select c.id, c.run_id, c.changed_at, c.action, c.fields, c.evidence, c.confirmed, c.reason, c.before, c.after,
  l.sync_type, l.details ->> 'caller' as caller, l.details ->> 'approved_by' as approved_by,
  (l.details ->> 'undo')::int as undoes,
  (
    select min(u.run_id)
    from public.member_changes u
    join public.sync_log r on r.id = u.run_id
    where u.member_id = c.member_id and r.details ->> 'undo' = c.run_id::text
  ) as undone_by
from public.member_changes c
left join public.sync_log l on l.id = c.run_id
where c.member_id = $1::int
  and ($2::bigint is null or c.id < $2::bigint)
  and ($4::date is null or c.changed_at >= $4::date::timestamp at time zone 'UTC')
  and ($5::date is null or c.changed_at < ($5::date + 1)::timestamp at time zone 'UTC')
order by c.id desc
limit $3::int
