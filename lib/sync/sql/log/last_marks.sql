-- What an incremental run starts from: Django's clock at the start of the last complete run, and whether
-- the last complete full run is younger than $1 minutes.
select
  (select register_mark from public.sync_log where register_mark is not null order by id desc limit 1) as register_mark,
  coalesce((
    select max(sync_timestamp) > (now() at time zone 'UTC') - make_interval(mins => $1::int)
    from public.sync_log where register_mark is not null and mode = 'full'
  ), false) as full_is_recent
