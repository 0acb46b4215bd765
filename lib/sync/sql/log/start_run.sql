insert into public.sync_log (sync_type, sync_timestamp, status, details)
values ($1::text, $2::timestamptz at time zone 'UTC', 'pending', $3::jsonb)
returning id
