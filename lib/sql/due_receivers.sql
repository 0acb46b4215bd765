select distinct receiver from public.notification_outbox where status = 'pending'
