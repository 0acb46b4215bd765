-- Whether something waits to be posted, given up or pruned.
select exists (
  select from public.notification_outbox where status = 'pending' or created_at < now() - interval '30 days'
) as waits
