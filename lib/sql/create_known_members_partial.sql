-- A part of the register is compared only with the members that it names, found through the indexes.
create temp view known_members as
select id, external_id, kennitala, name, email, phone, is_active, removed_at, sync_source, last_verified_at
from public.members
where id in (
  select m.id from incoming i join public.members m on m.kennitala = i.kennitala
  union
  select m.id from incoming i join public.members m on m.external_id = i.external_id
)
