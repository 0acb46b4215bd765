-- The audit trail: one row per applied change, written in the transaction that applied it.
create table if not exists public.member_changes (
  id bigserial primary key,
  run_id int not null,
  member_id int not null,
  action varchar(20) not null check (action in ('add', 'update', 'reactivate', 'remove')),
  fields text[] not null,
  before jsonb,
  after jsonb not null,
  changed_at timestamptz not null default now()
);

-- Rows arrive in the order of run and time, so block ranges find them; 006 puts one key in their place. There
-- is none by member: it would cost every run a fifth of its audit trail's time, and the history of one
-- member is asked for rarely and found by a scan.
create index if not exists idx_member_changes_run on public.member_changes using brin (run_id) with (pages_per_range = 16);
create index if not exists idx_member_changes_time on public.member_changes using brin (changed_at) with (pages_per_range = 16);

-- What an undo took back, so that the next run does not do it again. A row goes away when the
-- register no longer asks for the change, or when an admin approves it.
create table if not exists public.undone_changes (
  outcome bytea primary key,
  run_id int not null,
  undone_at timestamptz not null default now()
);
