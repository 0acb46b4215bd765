-- Takes the rows that change, without waiting for any: whoever waits for a row and holds others may deadlock, and
-- PostgreSQL may then end the other side. Foreign keys of other services go on: no key changes here.
insert into pg_temp.locked_rows (plan_id, is_same)
select p.id,
  row(m.kennitala, m.name, m.email, m.phone, m.external_id, m.is_active, m.removed_at, m.sync_source)
    is not distinct from row(
      p.old_kennitala, p.old_name, p.old_email, p.old_phone, p.old_external_id, p.old_is_active, p.old_removed_at, p.old_sync_source
    )
from public.members m
join (
  select * from pg_temp.applicable where member_id is not null and not 'kennitala' = any(fields) and placeholder is null
) p on p.member_id = m.id
for no key update of m skip locked
