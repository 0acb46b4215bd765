-- The rows as they are and as they shall be, before they are changed. $1: the run.
insert into public.member_changes (run_id, member_id, action, fields, before, after)
select $1::int, m.id, p.action, p.fields,
  jsonb_build_object(
    'kennitala', m.kennitala, 'name', m.name, 'email', m.email, 'phone', m.phone,
    'external_id', m.external_id, 'is_active', m.is_active, 'removed_at', m.removed_at
  ),
  jsonb_build_object(
    'kennitala', p.kennitala, 'name', p.name, 'email', p.email, 'phone', p.phone,
    'external_id', p.external_id, 'is_active', p.is_active, 'removed_at', p.removed_at
  )
from plan p
join public.members m on m.id = p.member_id and row(m.kennitala, m.name, m.email, m.phone, m.external_id, m.is_active, m.removed_at, m.sync_source)::text = p.member_version
where p.held is null and p.action in ('update', 'reactivate', 'remove')
