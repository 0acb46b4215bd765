-- A receiver that is no longer configured gets nothing any more; what waited for it is dead after three days too.
update public.notification_outbox
set status = 'dead', last_error = coalesce(last_error, 'the receiver is no longer in NOTIFY_URLS')
where status = 'pending' and created_at < now() - interval '3 days' and not (receiver = any($1::text[]))
