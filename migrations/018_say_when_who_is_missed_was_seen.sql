-- When a run last saw each member in the register, as before; and who was not seen was seen before that, or by no run.
create or replace view public.member_sightings as
select m.id, m.kennitala, m.name, m.email, m.is_active, m.removed_at, m.sync_source,
  case
    -- No run has ever seen a row without a stamp.
    when m.last_verified_at is null then null
    when m.unseen_since is not null then
      case when m.last_verified_at < m.unseen_since at time zone 'UTC' then m.last_verified_at at time zone 'UTC' end
    when m.external_id is null and m.sync_source is distinct from 'django' then m.last_verified_at at time zone 'UTC'
    else greatest(m.last_verified_at at time zone 'UTC', w.register_seen_at)
  end as seen_at,
  m.unseen_since
from public.members m
left join (
  select register_seen_at from public.sync_log where register_seen_at is not null order by id desc limit 1
) w on true;
