-- The time is the database's: the clock of an instance may be wrong, and every age is measured by this one.
insert into public.sync_log (sync_type, sync_timestamp, status, details, mode)
values ($1::text, date_trunc('milliseconds', now()) at time zone 'UTC', 'pending', $2::jsonb, $3::text)
returning id, sync_timestamp at time zone 'UTC' as started_at, status::text as status
