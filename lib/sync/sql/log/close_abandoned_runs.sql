-- Only the holder of the lock runs this, so whoever left these rows pending is gone.
update public.sync_log
set status = 'failed', finished_at = now(), progress = null,
  error_count = greatest(error_count, 1),
  details = coalesce(details, '{}'::jsonb)
    || '{"error":{"code":"abandoned","message":"the process ended before the run did; nothing of it was applied"}}'::jsonb
where status::text = 'pending'
returning id
