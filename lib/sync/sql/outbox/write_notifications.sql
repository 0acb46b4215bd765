-- One row per receiver, in the transaction that changes the members. $4: the payload.
insert into public.notification_outbox (run_id, receiver, webhook_id, payload)
select $1::int, receiver, $3::text, $4::text
from pg_catalog.unnest($2::text[]) as receiver
