-- Two members may swap their kennitölur, and the unique constraint looks at every row as it changes:
-- who gets another one steps aside first. The placeholder is no kennitala and fits ten characters.
update public.members m
set kennitala = '~' || to_hex(m.id)
from plan p
where m.id = p.member_id and row(m.kennitala, m.name, m.email, m.phone, m.external_id, m.is_active, m.removed_at, m.sync_source)::text = p.member_version
  and p.held is null and p.action <> 'suspended' and 'kennitala' = any(p.fields)
