-- Receivers of $1 (those configured now) that something waits for.
select distinct receiver from public.notification_outbox
where status = 'pending' and receiver = any($1::text[])
