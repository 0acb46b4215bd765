-- Everything that syncStatus tells, in one round trip. $1: the key of the sync lock.
with finished as (
  select * from public.sync_log where status <> 'pending' order by id desc limit 500
), last_good as (
  select * from public.sync_log
  where status in ('success', 'partial') and mode in ('full', 'incremental') order by id desc limit 1
), locked as (
  select exists (
    select from pg_locks
    where locktype = 'advisory' and granted
      and database = (select oid from pg_database where datname = current_database())
      and (classid::bigint << 32 | objid::bigint) = $1::bigint
  ) as held
)
select
  (select held from locked) as lock_held,
  (select to_jsonb(r) from (
    select id, sync_timestamp at time zone 'UTC' as started_at, progress from public.sync_log
    where status = 'pending' order by id desc limit 1
  ) r) as pending,
  (select to_jsonb(f) from finished f order by id desc limit 1) as last_run,
  (select to_jsonb(g) from last_good g) as last_success,
  (select count(*)::int from finished f
    where f.status = 'failed'
      and f.id > coalesce((select max(id) from finished where status not in ('failed', 'refused')), 0)
  ) as consecutive_failures,
  (select max(sync_timestamp) at time zone 'UTC' from public.sync_log
    where mode in ('full', 'incremental')
      -- Not finished, so it has no mode yet: whatever it is, these two are no walk of the register.
      or mode is null and sync_type not in ('webhook', 'undo')) as last_started_at,
  (select count(*) filter (where is_active)::int from public.members) as active,
  (select count(*) filter (where is_active is not true)::int from public.members) as inactive,
  (select count(*) filter (where status = 'pending')::int from public.notification_outbox) as notifications_pending,
  (select count(*) filter (where status = 'dead')::int from public.notification_outbox) as notifications_dead
