-- The difference between the register (incoming) and the members, and nothing else. $1: the walk was
-- complete, so absence means something. $2: the time of the run (UTC).
insert into plan (
  action, member_id, member_version, before, external_id, kennitala, name, email, phone, is_active, removed_at,
  fields, suspended, evidence, outcome
)
with recursive
-- Every record beside the row that holds its kennitala; what agrees already never leaves this join.
paired as materialized (
  select
    i.ordinal, i.external_id as i_external_id, i.kennitala as i_kennitala, i.name as i_name,
    i.has_email, i.email as i_email, i.has_phone, i.phone as i_phone, i.is_member,
    m.id, m.external_id, m.kennitala, m.name, m.email, m.phone, m.is_active, m.removed_at,
    coalesce(m.sync_source = 'django', false) as is_django,
    m.last_verified_at is not null as is_linked,
    -- Here and not in the view, where it would be worked out for every member before the comparison.
    row(m.kennitala, m.name, m.email, m.phone, m.external_id, m.is_active, m.removed_at, m.sync_source)::text as version
  from incoming i
  full join known_members m on m.kennitala = i.kennitala
  where (
    i.is_member and m.is_active and m.removed_at is null
    and m.external_id = i.external_id
    and (i.name is null or m.name = i.name)
    and (not i.has_email or m.email is not distinct from i.email)
    and (not i.has_phone or m.phone is not distinct from i.phone)
  ) is not true
),
-- A member whose Django id is on another row than its kennitala claims that row: its kennitala changed.
-- Ids are Django's own only on rows that came from Django or were linked by an earlier run.
claims as materialized (
  select distinct on (i.ordinal) i.ordinal, i.id as holder_id, r.id as row_id
  from paired i
  join paired r on r.external_id = i.i_external_id
  where i.is_member
    and i.external_id is distinct from i.i_external_id
    and r.i_external_id is distinct from r.external_id
    and (r.is_django or r.is_linked)
  order by i.ordinal, r.is_active desc nulls last, r.id
),
-- Where the new kennitala is on a row that nobody moves away from, two rows are one person: the row
-- with the kennitala is the one to keep, and whoever wanted the place left free stays put as well.
merged as (
  select c.ordinal, c.row_id
  from claims c
  where c.holder_id is not null and not exists (select from claims h where h.row_id = c.holder_id)
  union
  select c.ordinal, c.row_id
  from merged g join claims c on c.holder_id = g.row_id
),
moves as materialized (
  select ordinal, row_id from claims where ordinal not in (select ordinal from merged)
),
-- The members of the register that have a row: the one with their kennitala, or the one they move to.
placed as (
  select i.ordinal, i.i_external_id, i.i_kennitala, i.i_name, i.has_email, i.i_email, i.has_phone, i.i_phone,
    i.id, i.version, i.external_id, i.kennitala, i.name, i.email, i.phone, i.is_active, i.removed_at, i.is_django
  from paired i
  where i.is_member and i.id is not null
    and i.ordinal not in (select ordinal from moves) and i.id not in (select row_id from moves)
  union all
  select i.ordinal, i.i_external_id, i.i_kennitala, i.i_name, i.has_email, i.i_email, i.has_phone, i.i_phone,
    r.id, r.version, r.external_id, r.kennitala, r.name, r.email, r.phone, r.is_active, r.removed_at, r.is_django
  from moves v
  join paired i on i.ordinal = v.ordinal
  join paired r on r.id = v.row_id
),
wanted as (
  select p.*,
    coalesce(p.i_name, p.name) as new_name,
    case when p.has_email then p.i_email else p.email end as new_email,
    case when p.has_phone then p.i_phone else p.phone end as new_phone,
    case
      when p.is_active then 'update'
      -- Only what the sync itself removed comes back; who was suspended by hand stays so.
      when p.is_django and p.removed_at is not null then 'reactivate'
      else 'suspended'
    end as standing
  from placed p
),
changed as (
  select w.*,
    array_remove(array[
      case when w.kennitala is distinct from w.i_kennitala then 'kennitala' end,
      case when w.name is distinct from w.new_name then 'name' end,
      case when w.email is distinct from w.new_email then 'email' end,
      case when w.phone is distinct from w.new_phone then 'phone' end,
      case when w.external_id is distinct from w.i_external_id then 'external_id' end,
      case when w.standing = 'reactivate' then 'is_active' end,
      case when w.removed_at is not null and w.is_django and w.standing <> 'suspended' then 'removed_at' end
    ], null) as fields
  from wanted w
),
removals as (
  select r.*,
    case
      -- A former record says nothing about a row that is linked to another record of that person.
      when not r.is_member and (r.external_id is null or r.external_id = r.i_external_id) then 'not_a_member'
      when s.external_id is not null and s.kennitala is null then 'not_a_member'
      -- Its Django id is a member with another kennitala now, and that one has a row of its own.
      when s.is_member then 'superseded'
      else 'absent'
    end as evidence
  from paired r
  left join incoming s on s.external_id = r.external_id and (s.is_member or s.kennitala is null)
  where r.is_active and r.is_django
    and r.id not in (select row_id from moves)
    and (r.is_member is not true or r.ordinal in (select ordinal from moves))
    and not exists (select from shield s where s.external_id = r.external_id)
    and not exists (select from shield s where s.kennitala = r.kennitala)
)
-- Who has no row, or whose row is another's now, is new.
select
  'add', null::int, null::text, null::jsonb, i_external_id, i_kennitala, i_name, i_email, i_phone, true, null::timestamp,
  array['kennitala', 'name', 'email', 'phone', 'external_id', 'is_active'], false, null,
  sha256(convert_to(row('join', i_external_id, i_kennitala, i_name, i_email, i_phone)::text, 'UTF8'))
from paired
where is_member and (id is null or id in (select row_id from moves)) and ordinal not in (select ordinal from moves)
union all
select
  case when standing = 'suspended' and fields <> '{}' then 'update' else standing end,
  id, version, jsonb_build_object(
    'kennitala', kennitala, 'name', name, 'email', email, 'phone', phone,
    'external_id', external_id, 'is_active', is_active, 'removed_at', removed_at
  ),
  i_external_id, i_kennitala, new_name, new_email, new_phone,
  case when standing = 'reactivate' then true else is_active end,
  case when standing = 'suspended' or not is_django then removed_at end,
  fields, standing = 'suspended', null,
  case when fields <> '{}' then sha256(convert_to(row(
    case standing when 'reactivate' then 'join' else 'update' end,
    i_external_id, i_kennitala, new_name, new_email, new_phone
  )::text, 'UTF8')) end
from changed
where fields <> '{}' or standing = 'suspended'
union all
select
  'remove', id, version, jsonb_build_object(
    'kennitala', kennitala, 'name', name, 'email', email, 'phone', phone,
    'external_id', external_id, 'is_active', is_active, 'removed_at', removed_at
  ),
  external_id, kennitala, name, email, phone, false, $2::timestamptz at time zone 'UTC',
  array['is_active', 'removed_at'], false, evidence,
  sha256(convert_to(row('remove', external_id, kennitala, name, email, phone)::text, 'UTF8'))
from removals
where $1::boolean or evidence <> 'absent'
