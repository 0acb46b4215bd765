-- Another kennitala is a class of change of its own.
alter table public.sync_log add column if not exists members_kennitala_changed int default 0;

-- A digest is spent once: the changes that an approval released, by their own digest, on the run that applied them.
alter table public.sync_log add column if not exists approved_changes text;
create index if not exists idx_sync_log_approved on public.sync_log (approved_changes) where approved_changes is not null;

-- What a held plan was made of, so that a refused approval can say what is different now. Digests only.
create table if not exists public.held_changes (
  plan text not null,
  outcome bytea not null,
  class varchar(20) not null,
  held_at timestamptz not null default now(),
  primary key (plan, outcome)
);

-- The member that an undone change is of: a record of that member that cannot be read says nothing about it.
alter table public.undone_changes
  add column if not exists external_id varchar(255),
  add column if not exists kennitala varchar(10);
