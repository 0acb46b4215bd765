-- The oldest open notification of receiver $1, if it is due and nobody is posting it: a later one never
-- overtakes it. The lease outlives the request and ends by itself when the process is killed.
update public.notification_outbox
set leased_until = now() + interval '30 seconds', attempts = attempts + 1
where id = (
  select id from public.notification_outbox
  where receiver = $1::text and status = 'pending'
  order by id limit 1
  for update
)
and next_attempt_at <= now() and (leased_until is null or leased_until < now())
returning id, webhook_id, payload, attempts, created_at
