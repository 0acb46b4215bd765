-- The rows that a try has written, as they are stored after every trigger. Types are those of the table.
create temp table written on commit drop as
select 0 as plan_id, id, kennitala, name, email, phone, external_id, is_active, removed_at, sync_source
from public.members
with no data
