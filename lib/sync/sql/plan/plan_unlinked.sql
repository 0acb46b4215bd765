-- Rows of other services whose member goes on in another row: they are nobody's in the register any more. What it wrote
-- into them goes, and what was there before comes back.
insert into pg_temp.plan (
  action, member_id,
  old_kennitala, old_name, old_email, old_phone, old_external_id, old_is_active, old_removed_at, old_sync_source,
  kennitala, name, email, phone, is_active, removed_at, fields, evidence, outcome
)
with unlinked as (
  select p.*,
    coalesce(p.row_unlinked ->> 'name', p.row_name) as new_name,
    case when p.row_unlinked is null then p.row_email else p.row_unlinked ->> 'email' end as new_email,
    case when p.row_unlinked is null then p.row_phone else p.row_unlinked ->> 'phone' end as new_phone
  from pg_temp.pair p
  join pg_temp.incoming i on i.external_id = p.row_external_id
  where p.row_sync_source is distinct from 'django' and p.row_is_linked and i.is_member and i.kennitala <> p.row_kennitala
    and p.row_id not in (select row_id from pg_temp.move)
    and (p.is_member is not true or p.ordinal in (select ordinal from pg_temp.move))
    and not exists (select from pg_temp.shield s where s.external_id = p.row_external_id)
)
select
  'update', row_id,
  row_kennitala, row_name, row_email, row_phone, row_external_id, row_is_active, row_removed_at, row_sync_source,
  row_kennitala, new_name, new_email, new_phone, row_is_active, row_removed_at,
  array_remove(array[
    case when new_name is distinct from row_name then 'name' end,
    case when new_email is distinct from row_email then 'email' end,
    case when new_phone is distinct from row_phone then 'phone' end,
    'external_id'
  ], null),
  'unlinked',
  public.change_digest('update'::text, null, row_kennitala, new_name, new_email, new_phone)
from unlinked
