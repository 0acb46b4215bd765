-- Ends the session that holds the lock with key $1 when it is one of ours that nobody is behind any more: for
-- three minutes the server has waited for its process, which says something twice a minute. A frozen process
-- in the middle of a COPY, for one, is ended by no timeout of the server.
select pg_terminate_backend(l.pid, 2000) as ended
from pg_locks l
join pg_stat_activity a on a.pid = l.pid
where l.locktype = 'advisory' and l.granted
  and l.database = (select oid from pg_database where datname = current_database())
  and (l.classid::bigint << 32 | l.objid::bigint) = $1::bigint
  and a.usename = current_user and a.application_name = 'membership-sync' and a.wait_event = 'ClientRead'
  and greatest(a.state_change, a.query_start) < now() - interval '3 minutes'
