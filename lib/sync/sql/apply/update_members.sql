-- Changes the members that still are as the plan saw them, and writes what the database made of them to the audit
-- trail. $1: the run. $2: its time, or null when the run did not see the register (an undo). This is the one place
-- that compares: a row that somebody wrote in between is missed, and the count of rows shows it.
with changed as (
  update public.members m
  set kennitala = p.kennitala, name = p.name, email = p.email, phone = p.phone,
    external_id = p.external_id, is_active = p.is_active, removed_at = p.removed_at,
    last_verified_at = case
      when p.action = 'remove' or $2::timestamptz is null then m.last_verified_at
      else $2::timestamptz at time zone 'UTC'
    end,
    unseen_since = case when p.action = 'remove' or $2::timestamptz is null then m.unseen_since end
  from (select * from pg_temp.applicable where member_id is not null) p
  where m.id = p.member_id
    and row(m.kennitala, m.name, m.email, m.phone, m.external_id, m.is_active, m.removed_at, m.sync_source)
      is not distinct from row(
        -- It has stepped aside where it gets another kennitala.
        case when 'kennitala' = any(p.fields) then '~' || to_hex(p.member_id) else p.old_kennitala end,
        p.old_name, p.old_email, p.old_phone, p.old_external_id, p.old_is_active, p.old_removed_at, p.old_sync_source
      )
  returning p.id, m.kennitala, m.name, m.email, m.phone, m.external_id, m.is_active, m.removed_at
)
insert into public.member_changes (run_id, member_id, action, fields, released, evidence, confirmed, reason, before, after)
select $1::int, p.member_id, p.action, p.fields, p.released, p.evidence, p.confirmed, p.reason,
  public.member_state(
    p.old_kennitala, p.old_name, p.old_email, p.old_phone, p.old_external_id, p.old_is_active, p.old_removed_at
  ),
  public.member_state(c.kennitala, c.name, c.email, c.phone, c.external_id, c.is_active, c.removed_at)
from changed c
join pg_temp.plan p using (id)
