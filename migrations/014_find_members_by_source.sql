-- Other services may have millions of rows beside a few thousand from Django: a run and syncStatus find ours by this
-- index. All entries of one source are equal, so new ones go to one place, and a first load pays next to nothing.
do $$
begin
  -- Alone in its message, as Citus sends it on to its nodes.
  create index if not exists idx_members_sync_source on public.members (sync_source);
end
$$;

-- When a run last saw each member in the register. Every time is that of a run's start. No run looks for a row of
-- another service that has no Django id any more, so what the run's own row says is not said of it.
create or replace view public.member_sightings as
select m.id, m.kennitala, m.name, m.email, m.is_active, m.removed_at, m.sync_source,
  case
    -- No run has ever seen a row without a stamp.
    when m.last_verified_at is null or m.unseen_since is not null
      or m.external_id is null and m.sync_source is distinct from 'django' then m.last_verified_at at time zone 'UTC'
    else greatest(m.last_verified_at at time zone 'UTC', w.register_seen_at)
  end as seen_at
from public.members m
left join (
  select register_seen_at from public.sync_log where register_seen_at is not null order by id desc limit 1
) w on true;
