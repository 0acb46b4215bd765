-- Changes that would give a member back, or leave it, as it was before such a call.
update pg_temp.plan p set set_aside = 'just_changed'
from pg_temp.just_changed c
where p.member_id = c.member_id and p.set_aside is null
  and case c.action
    when 'remove' then p.action = 'reactivate'
    when 'update' then p.action = 'update' and not exists (
      select from unnest(c.fields) as f(name)
      where public.member_state(p.kennitala, p.name, p.email, p.phone, p.external_id, p.is_active, p.removed_at) ->> f.name
        is distinct from c.before ->> f.name
    )
    else p.action = 'remove'
  end
returning p.external_id
