-- The member register as the Elections and Events services read it, and the log of the runs that wrote it.
-- Safe to run twice, and beside rows that another service wrote before us.

create table if not exists public.members (
  id serial primary key,
  kennitala varchar(10) unique not null,
  name varchar(255) not null,
  email varchar(255),
  phone varchar(20),
  is_active boolean default true,
  added_at timestamp default now(),
  removed_at timestamp,
  sync_source varchar(50) default 'django',
  external_id varchar(255),
  metadata jsonb,
  last_verified_at timestamp
);

create table if not exists public.sync_log (
  id serial primary key,
  sync_type varchar(50),
  sync_timestamp timestamp default now(),
  members_added int default 0,
  members_removed int default 0,
  members_verified int default 0,
  error_count int default 0,
  details jsonb,
  status varchar(50) default 'pending'
);

create index if not exists idx_members_active on public.members (is_active);
-- Redundant: the unique constraint on kennitala has an index of its own. It is part of the agreed
-- schema here; 002 drops it, because every insert would pay for it twice.
create index if not exists idx_members_kennitala on public.members (kennitala);
create index if not exists idx_sync_log_timestamp on public.sync_log (sync_timestamp desc);
