-- Whether this still is the session that the run began with, and holds its lock. $1: the key of the lock.
select
  current_setting('membership_sync.backend', true) is not distinct from pg_backend_pid()::text
  and exists (
    select from pg_locks
    where locktype = 'advisory' and granted and pid = pg_backend_pid()
      and database = (select oid from pg_database where datname = current_database())
      and (classid::bigint << 32 | objid::bigint) = $1::bigint
  ) as is_ours
