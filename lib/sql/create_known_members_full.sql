-- A complete walk is compared with every member.
create temp view known_members as
select id,
  row(kennitala, name, email, phone, external_id, is_active, removed_at, sync_source)::text as version,
  external_id, kennitala, name, email, phone, is_active, removed_at,
  coalesce(sync_source = 'django', false) as is_django, last_verified_at is not null as is_linked
from public.members
