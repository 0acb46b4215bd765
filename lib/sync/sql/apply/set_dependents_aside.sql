-- What needs a change that is not made waits with it.
update pg_temp.plan p set set_aside = 'change_waits'
from pg_temp.plan n
where n.id = p.needs and n.set_aside is not null
  and p.held is null and p.set_aside is null and p.action <> 'suspended'
returning p.set_aside as code, coalesce(p.external_id, p.old_external_id) as external_id
