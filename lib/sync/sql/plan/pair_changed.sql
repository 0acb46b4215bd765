-- The rows that run $1 changed, as they are now, without a record beside them.
insert into pg_temp.pair (
  row_id, row_external_id, row_kennitala, row_name, row_email, row_phone, row_is_active, row_removed_at, row_sync_source
)
select id, external_id, kennitala, name, email, phone, is_active, removed_at, sync_source
from public.members
where id in (select member_id from public.member_changes where run_id = $1::int)
