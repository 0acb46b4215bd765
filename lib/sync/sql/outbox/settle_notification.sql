-- What became of try $4 of notification $1. $2: delivered or not, $3: why not. A failure waits twice as
-- long each time, from $5 to $6, and is dead after $7. Only the last try may report a failure. One that reports
-- after its lease ran out was stopped in between (an instance without requests gets no CPU), which says
-- nothing about the receiver: it is due at once.
update public.notification_outbox
set leased_until = null,
  status = case
    when $2::boolean then 'delivered'
    when created_at < now() - $7::interval and leased_until >= now() then 'dead'
    else 'pending'
  end,
  delivered_at = case when $2::boolean then now() end,
  last_error = case when $2::boolean then null else $3::text end,
  next_attempt_at = case
    when leased_until < now() then now()
    else least(
      now() + least($5::interval * power(2, least(attempts, 12)), $6::interval),
      created_at + $7::interval
    )
  end
where id = $1::bigint and status = 'pending' and ($2::boolean or attempts = $4::int)
returning status
