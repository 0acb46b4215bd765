-- $1: the time of the run, or null when the run did not see the register (an undo). A row is as the plan
-- saw it, but for a kennitala that has stepped aside: one that someone else wrote in between is skipped.
update public.members m
set kennitala = p.kennitala, name = p.name, email = p.email, phone = p.phone,
  external_id = p.external_id, is_active = p.is_active, removed_at = p.removed_at,
  last_verified_at = case
    when p.action = 'remove' or $1::timestamptz is null then m.last_verified_at
    else $1::timestamptz at time zone 'UTC'
  end
from plan p
where m.id = p.member_id
  and (
    row(m.kennitala, m.name, m.email, m.phone, m.external_id, m.is_active, m.removed_at, m.sync_source)::text = p.member_version
    or m.kennitala = '~' || to_hex(m.id)
    and row(p.before ->> 'kennitala', m.name, m.email, m.phone, m.external_id, m.is_active, m.removed_at, m.sync_source)::text = p.member_version
  )
  and p.held is null and p.action in ('update', 'reactivate', 'remove')
