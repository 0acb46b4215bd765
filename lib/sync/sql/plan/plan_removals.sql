-- The active members from Django that no record of a member stands beside, but for those that a record names
-- without our being able to trust it. The row of a leaver that moves to another kennitala does so as it is removed:
-- somebody else gets the old one. $1: the walk saw the whole register, so absence means something. $2: the time of the
-- run.
insert into pg_temp.plan (
  action, member_id,
  old_kennitala, old_name, old_email, old_phone, old_external_id, old_is_active, old_removed_at, old_sync_source,
  external_id, kennitala, name, email, phone, is_active, removed_at, fields, evidence, reason, outcome
)
with moved as (
  select v.row_id, r.record_kennitala, r.not_member, r.is_member
  from pg_temp.move v join pg_temp.pair r on r.ordinal = v.ordinal
),
leaver as (
  select p.*, coalesce(v.record_kennitala, p.row_kennitala) as new_kennitala,
    case
      when not v.is_member then 'not_a_member'
      -- A former record says nothing about a row that is linked to another record of that person.
      when not p.is_member and (p.row_external_id is null or p.row_external_id = p.record_id) then 'not_a_member'
      when named.external_id is not null and named.kennitala is null then 'not_a_member'
      -- Its Django id is a member with another kennitala now, and that one has a row of its own.
      when named.is_member then 'superseded'
      else 'absent'
    end as evidence,
    coalesce(v.not_member, p.not_member, named.not_member) as reason
  from pg_temp.pair p
  left join moved v on v.row_id = p.row_id
  left join pg_temp.incoming named
    on named.external_id = p.row_external_id and (named.is_member or named.kennitala is null)
  where p.row_is_active and p.row_sync_source = 'django'
    and case
      when v.row_id is not null then not v.is_member
      else p.is_member is not true or p.ordinal in (select ordinal from pg_temp.move)
    end
    and not exists (select from pg_temp.shield s where s.external_id = p.row_external_id)
    and not exists (select from pg_temp.shield s where s.kennitala = p.row_kennitala)
)
select
  'remove', row_id,
  row_kennitala, row_name, row_email, row_phone, row_external_id, row_is_active, row_removed_at, row_sync_source,
  row_external_id, new_kennitala, row_name, row_email, row_phone, false, $2::timestamptz at time zone 'UTC',
  array_remove(array['is_active', 'removed_at', case when new_kennitala <> row_kennitala then 'kennitala' end], null),
  evidence, reason,
  public.change_digest('remove'::text, row_external_id, new_kennitala, row_name, row_email, row_phone)
from leaver
where $1::boolean or evidence <> 'absent'
