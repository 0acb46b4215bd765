-- The changes of the runs after run $1.
select c.run_id, c.action, c.after ->> 'external_id' as external_id, l.details ->> 'approved_by' as approved_by
from public.sync_log l
join public.member_changes c on c.run_id = l.id
where l.id > $1::int
order by c.id
