-- The changes that runs have made since $1, in UTC. A run may have begun an hour before.
select c.run_id, c.action, c.after ->> 'external_id' as external_id, l.details ->> 'approved_by' as approved_by
from public.sync_log l
join public.member_changes c on c.run_id = l.id
where l.sync_timestamp >= $1::timestamp - interval '1 hour' and c.changed_at >= $1::timestamp at time zone 'UTC'
order by c.id
