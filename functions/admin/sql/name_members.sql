-- The names behind Django ids. Our own row goes before that of another service.
select distinct on (external_id) external_id, kennitala, name
from public.members
where external_id = any($1::text[])
order by external_id, sync_source is not distinct from 'django' desc, is_active desc nulls last, id
