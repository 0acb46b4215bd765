-- A complete walk is compared with every member from Django, every row of another service that an earlier run
-- linked and that still has its Django id, and the rows of others that have a kennitala of the register. Each is found by an index: others may have
-- millions of rows here. Those that have ids of their own are read, to find the linked ones.
create temp view known_members as
select id, external_id, kennitala, name, email, phone, is_active, removed_at, sync_source, last_verified_at,
  unseen_since
from public.members
where sync_source = 'django' or external_id is not null and last_verified_at is not null
union all
select m.id, m.external_id, m.kennitala, m.name, m.email, m.phone, m.is_active, m.removed_at, m.sync_source,
  m.last_verified_at, m.unseen_since
from pg_temp.incoming i
join public.members m on m.kennitala = i.kennitala
where m.sync_source is distinct from 'django' and (m.external_id is null or m.last_verified_at is null)
