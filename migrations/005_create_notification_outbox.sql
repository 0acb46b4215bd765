-- Notifications are written in the transaction that changes the members, and posted after it.
create table if not exists public.notification_outbox (
  id bigserial primary key,
  run_id int not null,
  receiver text not null,
  webhook_id text not null,
  payload text not null,
  status varchar(20) not null default 'pending' check (status in ('pending', 'delivered', 'dead')),
  attempts int not null default 0,
  next_attempt_at timestamptz not null default now(),
  -- Someone is posting it until then; a killed process leaves the lease to run out.
  leased_until timestamptz,
  last_error text,
  created_at timestamptz not null default now(),
  delivered_at timestamptz,
  unique (webhook_id, receiver)
);

create index if not exists idx_notification_outbox_open on public.notification_outbox (receiver, id) where status = 'pending';
