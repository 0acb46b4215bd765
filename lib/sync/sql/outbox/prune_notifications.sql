delete from public.notification_outbox where status <> 'pending' and created_at < now() - interval '30 days'
