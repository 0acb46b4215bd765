-- In the receiving service's own database. Rows older than a week may be deleted.
create table if not exists received_webhooks (
  webhook_id text primary key,
  received_at timestamptz not null default now()
);
