-- Who holds the lock with key $1. Only who may read all statistics sees when a session of another role began.
select a.usename as role, a.backend_start as since,
  a.usename = current_user and a.application_name = 'membership-sync' as is_run
from pg_locks l
left join pg_stat_activity a on a.pid = l.pid
where l.locktype = 'advisory' and l.granted
  and l.database = (select oid from pg_database where datname = current_database())
  and (l.classid::bigint << 32 | l.objid::bigint) = $1::bigint
limit 1
