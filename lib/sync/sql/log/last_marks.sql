-- What an incremental run starts from: Django's clock at the start of the last complete run, and whether a complete
-- full run is younger than $1 minutes; whether the last full run holds something; and whether the plan $2, which is
-- approved, is of another than an incremental run. What lies in the future of the database's clock is no proof of either.
select
  (
    select register_mark from public.sync_log
    where register_mark <= now()
    order by id desc limit 1
  ) as register_mark,
  exists (
    select from public.sync_log
    where mode::text = 'full' and register_mark is not null and finished_at <= now()
      and sync_timestamp > (now() at time zone 'UTC') - pg_catalog.make_interval(mins => $1::int)
      and sync_timestamp <= now() at time zone 'UTC'
  ) as full_is_recent,
  coalesce((
    select status::text = 'held' from public.sync_log
    where mode::text = 'full' and status::text in ('success', 'partial', 'held')
    order by id desc limit 1
  ), false) as full_holds,
  coalesce((select mode::text from public.sync_log where plan = $2::text order by id desc limit 1), 'full') <> 'incremental' as plan_is_full
