-- A member of whom a decision waits has got another Django id.
update public.open_findings o
set external_id = p.external_id
from (
  select old_external_id, external_id from pg_temp.applicable
  where old_external_id is not null and external_id <> old_external_id
) p
where o.external_id::text = p.old_external_id and o.error_code::text in ('undo_waits', 'release_waits')
  and not exists (
    select from public.open_findings k where k.code = o.code and k.external_id::text = p.external_id
  )
