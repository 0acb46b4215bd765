insert into public.sync_log (sync_type, sync_timestamp, status, details, mode)
values ($1::text, $2::timestamptz at time zone 'UTC', 'pending', $3::jsonb, $4::text)
returning id
