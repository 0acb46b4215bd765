-- A receiver that is no longer configured gets nothing any more, and nobody waits for that; what waited for it is
-- dead after as long, $2, too. $1: the receivers that are.
update public.notification_outbox
set receiver_gone = not (receiver = any($1::text[])),
  status = case
    when created_at < now() - $2::interval and not (receiver = any($1::text[])) then 'dead' else status
  end,
  last_error = case
    when receiver = any($1::text[]) then last_error
    else coalesce(last_error, 'the receiver is no longer in NOTIFY_URLS')
  end
where status = 'pending' and (receiver_gone or not (receiver = any($1::text[])))
