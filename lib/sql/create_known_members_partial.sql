-- A part of the register is compared only with the members that it names, found through the indexes.
create temp view known_members as
select id,
  row(kennitala, name, email, phone, external_id, is_active, removed_at, sync_source)::text as version,
  external_id, kennitala, name, email, phone, is_active, removed_at,
  coalesce(sync_source = 'django', false) as is_django, last_verified_at is not null as is_linked
from public.members
where id in (
  select m.id from incoming i join public.members m on m.kennitala = i.kennitala
  union
  select m.id from incoming i join public.members m on m.external_id = i.external_id
)
