-- What became of try $4 of notification $1. $2: delivered or not, $3: why not. A failure waits twice as
-- long each time, and is dead after three days. Only the last try may report a failure. One that reports
-- after its lease ran out was stopped in between (an instance without requests gets no CPU), which says
-- nothing about the receiver: it is due at once.
update public.notification_outbox
set leased_until = null,
  status = case
    when $2::boolean then 'delivered'
    when created_at < now() - interval '3 days' and leased_until >= now() then 'dead'
    else 'pending'
  end,
  delivered_at = case when $2::boolean then now() end,
  last_error = case when $2::boolean then null else $3::text end,
  next_attempt_at = case
    when leased_until < now() then now()
    else least(
      now() + least(interval '30 seconds' * power(2, least(attempts, 12)), interval '6 hours'),
      created_at + interval '3 days'
    )
  end
where id = $1::bigint and status = 'pending' and ($2::boolean or attempts = $4::int)
returning status
