-- Changes that would give a member back, or leave it, as it was before a call for single members within the last ten
-- minutes, by the database's clock. Run by run, and as a range: most rows of the audit trail may be of one first load.
update pg_temp.plan p set set_aside = 'just_changed'
from (
  select c.member_id, c.action, c.fields, c.before
  from public.sync_log r
  cross join lateral (
    select member_id, action, fields, before from public.member_changes where run_id between r.id and r.id
  ) c
  where r.mode = 'selected' and r.finished_at between now() - interval '10 minutes' and now()
    and r.sync_timestamp > (now() at time zone 'UTC') - interval '1 day'
) c
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
