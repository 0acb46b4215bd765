-- $4: failed, or refused when the run did what it should and said no.
update public.sync_log
set status = $4::text, finished_at = now(), progress = null, duration_ms = $2::int,
  error_count = greatest(error_count, 1),
  details = coalesce(details, '{}'::jsonb) || jsonb_build_object('error', $3::jsonb)
where id = $1::int and status = 'pending'
