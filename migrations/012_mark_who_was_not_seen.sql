-- A run in which nothing changed writes no member. The run's own row says when the whole register was seen, and only
-- a member whom that run did not see is marked.
do $$
begin
  -- Alone in its message, as Citus sends it on to its nodes.
  alter table public.members add column if not exists unseen_since timestamptz;
end
$$;
comment on column public.members.unseen_since is
  'the first run that read the whole register and did not see this member; null while runs see them';

alter table public.sync_log
  -- When this run read the register, if what it says of every member can be told from its row and the marks.
  add column if not exists register_seen_at timestamptz,
  -- Whether this run wrote last_verified_at of every member that it saw.
  add column if not exists members_stamped boolean not null default false;
create index if not exists idx_sync_log_register_seen on public.sync_log (id) where register_seen_at is not null;
create index if not exists idx_sync_log_members_stamped on public.sync_log (id) where members_stamped;

-- Until now every run stamped every member that it saw: who has an older stamp than the last one was not seen by it.
do $$
declare
  seen_at timestamptz;
begin
  if exists (select from public.sync_log where register_seen_at is not null) then
    return;
  end if;
  update public.sync_log set register_seen_at = sync_timestamp at time zone 'UTC'
  where id = (
    select max(id) from public.sync_log where mode = 'full' and status in ('success', 'partial', 'held')
  )
  returning register_seen_at into seen_at;
  update public.members set unseen_since = seen_at
  where last_verified_at < seen_at at time zone 'UTC';
end
$$;

-- When a run last saw each member in the register. Every time is that of a run's start.
create or replace view public.member_sightings as
select m.id, m.kennitala, m.name, m.email, m.is_active, m.removed_at, m.sync_source,
  case
    -- No run has ever seen a row without a stamp.
    when m.last_verified_at is null or m.unseen_since is not null then m.last_verified_at at time zone 'UTC'
    else greatest(m.last_verified_at at time zone 'UTC', w.register_seen_at)
  end as seen_at
from public.members m
left join (
  select register_seen_at from public.sync_log where register_seen_at is not null order by id desc limit 1
) w on true;

create or replace view public.member_eligibility as
select kennitala, name, email, is_active as eligible, seen_at as verified_at
from public.member_sightings
where is_active;
