-- $2: delivered or not; a failure waits twice as long each time and is dead after three days.
update public.notification_outbox
set leased_until = null,
  status = case
    when $2::boolean then 'delivered'
    when created_at < now() - interval '3 days' then 'dead'
    else 'pending'
  end,
  delivered_at = case when $2::boolean then now() end,
  last_error = case when $2::boolean then null else $3::text end,
  next_attempt_at = now() + least(interval '30 seconds' * power(2, least(attempts, 12)), interval '6 hours')
where id = $1::bigint
returning status
