-- What calls for single members have changed within the last ten minutes, by the database's clock. Run by run, and
-- as a range: most rows of the audit trail may be of one first load.
insert into pg_temp.just_changed (member_id, action, fields, before)
select c.member_id, c.action, c.fields, c.before
from public.sync_log r
cross join lateral (
  select member_id, action, fields, before from public.member_changes where run_id between r.id and r.id
) c
where r.mode = 'selected' and r.finished_at between now() - interval '10 minutes' and now()
  and r.sync_timestamp > (now() at time zone 'UTC') - interval '1 day'
