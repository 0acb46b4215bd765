-- A complete walk is compared with every member.
create temp view known_members as
select id, external_id, kennitala, name, email, phone, is_active, removed_at, sync_source, last_verified_at,
  unseen_since
from public.members
