-- A part of the register is compared only with the members that it names, found through the indexes: by
-- Django's id, and where that did not find its kennitala as well, by the kennitala. Two joins and no
-- condition on both: without statistics a planner would rather read every member.
create temp view known_members as
with linked as materialized (
  select m.id, m.external_id, m.kennitala, m.name, m.email, m.phone, m.is_active, m.removed_at, m.sync_source,
    m.last_verified_at, m.unseen_since
  from pg_temp.incoming i join public.members m on m.external_id = i.external_id
)
select * from linked
union
select m.id, m.external_id, m.kennitala, m.name, m.email, m.phone, m.is_active, m.removed_at, m.sync_source,
    m.last_verified_at, m.unseen_since
from pg_temp.incoming i join public.members m on m.kennitala = i.kennitala
where not exists (select from linked l where l.kennitala = i.kennitala)
