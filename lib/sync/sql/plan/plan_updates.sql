-- The members of the register that have a row: the row with their kennitala, or the row that moves to it. Of a
-- former member's row, inactive or another service's, only the kennitala moves. $1: a member who is suspended here
-- becomes active. $2: the walk saw the whole register, and each of its records says whose it is.
insert into pg_temp.plan (
  action, member_id,
  old_kennitala, old_name, old_email, old_phone, old_external_id, old_is_active, old_removed_at, old_sync_source,
  external_id, kennitala, name, email, phone, is_active, removed_at, fields, suspended, evidence, reason, new_sync_source,
  outcome
)
-- The rows of leavers that a record names. Somebody else may fill removed_at too, and decides by that: a leaver's last
-- change is a removal, or a removal has this very time, as after a restore. Where the audit trail has nothing of the
-- person any more, removed_at is what there is; unless an earlier run found the member suspended.
with left_by_run as materialized (
  select p.row_id
  from pg_temp.pair p
  where p.row_sync_source = 'django' and p.row_removed_at is not null and p.row_is_active is not true
    and (p.is_member or p.row_external_id in (select record_id from pg_temp.pair where is_member))
    and coalesce(
      (
        select bool_or(c.action = 'remove' and (c.is_last or (c.after ->> 'removed_at')::timestamp = p.row_removed_at))
        from (
          select action, after, row_number() over (order by id desc) = 1 as is_last
          from public.member_changes
          where member_id = p.row_id
            and (after ->> 'kennitala' = p.row_kennitala or after ->> 'external_id' = p.row_external_id)
        ) c
      ),
      (select count(*) = 0 from public.open_findings f where f.code = 'suspended' and f.external_id = p.row_external_id)
    )
),
last_full as materialized (
  select id, finished_at, register_seen_at from public.sync_log
  where mode = 'full' and status in ('success', 'partial', 'held')
  order by id desc limit 1
),
-- Rows whose person the register has under another Django id now, while nobody has the old one any more.
renumbered as materialized (
  select p.row_id, p.row_is_active
  from pg_temp.pair p
  where $2::boolean and p.is_member and p.row_sync_source = 'django' and p.row_external_id <> p.record_id
    and public.plain_name(p.row_name) = public.plain_name(p.record_name)
    and not exists (select from pg_temp.incoming i where i.external_id = p.row_external_id)
    and not exists (
      select from pg_temp.shield s where s.external_id is null or s.external_id = p.row_external_id
    )
),
placed as (
  select p.*
  from pg_temp.pair p
  where p.is_member and p.row_id is not null
    and p.ordinal not in (select ordinal from pg_temp.move) and p.row_id not in (select row_id from pg_temp.move)
  union all
  select
    r.ordinal, r.record_id, r.record_kennitala, case when r.is_member then r.record_name end,
    r.is_member and r.has_email, r.record_email, r.is_member and r.has_phone, r.record_phone,
    r.is_member, r.not_member, m.row_id, m.row_external_id, m.row_kennitala, m.row_name, m.row_email, m.row_phone, m.row_is_active,
    m.row_removed_at, m.row_sync_source, m.row_is_linked, m.row_is_unseen, m.row_is_ahead, m.row_unlinked
  from pg_temp.move v
  join pg_temp.pair r on r.ordinal = v.ordinal
  join pg_temp.pair m on m.row_id = v.row_id
  where r.is_member or (m.row_is_active and m.row_sync_source = 'django') is not true
),
wished as (
  select p.*,
    coalesce(p.record_name, p.row_name) as new_name,
    case when p.has_email then p.record_email else p.row_email end as new_email,
    case when p.has_phone then p.record_phone else p.row_phone end as new_phone,
    coalesce(p.row_sync_source = 'django' and p.is_member, false) as is_our_member,
    case
      when p.row_is_active or not p.is_member then 'update'
      -- Only what the sync itself removed comes back; a member suspended by hand stays so.
      when p.row_id in (select row_id from left_by_run) then 'reactivate'
      when $1::boolean then 'release'
      -- Somebody decided this of the member whose Django id the row has. Of one who is new here, who comes from an
      -- active row, or whose row is another service's, nobody did.
      when p.row_sync_source = 'django' and exists (
        select from pg_temp.pair k
        where k.row_external_id = p.record_id and (k.row_sync_source = 'django' or k.row_is_linked)
          and k.row_is_active is not true and k.row_id not in (select row_id from left_by_run)
      ) then 'suspended'
      -- The register has renumbered its members, and this is the very person of the row, whom the last full run saw.
      when $2::boolean and p.row_sync_source = 'django' and p.row_is_linked and not p.row_is_unseen
        and p.row_id in (select row_id from renumbered)
        and exists (select from last_full where register_seen_at is not null)
        and (
          exists (select from renumbered r where r.row_is_active)
          -- Runs over a part of the register may have come first.
          or exists (
            select from last_full f join public.member_changes c on c.run_id > f.id
            where c.action = 'update' and 'external_id' = any(c.fields)
          )
        )
        and not exists (select from pg_temp.pair k where k.row_external_id = p.record_id and k.row_is_active)
        -- A full run that has named them as a newcomer goes on doing so.
        and not exists (
          select from public.open_findings f join last_full r on r.finished_at >= f.since
          where f.code = 'inactive_here' and f.external_id = p.record_id
        ) then 'suspended'
      else 'inactive_here'
    end as standing
  from placed p
),
compared as (
  select w.*,
    array_remove(array[
      case when w.row_kennitala is distinct from w.record_kennitala then 'kennitala' end,
      case when w.row_name is distinct from w.new_name then 'name' end,
      case when w.row_email is distinct from w.new_email then 'email' end,
      case when w.row_phone is distinct from w.new_phone then 'phone' end,
      case when w.row_external_id is distinct from w.record_id then 'external_id' end,
      case when w.standing in ('reactivate', 'release') then 'is_active' end,
      case when w.row_removed_at is not null and (w.is_our_member and w.standing = 'update' or w.standing in ('reactivate', 'release')) then 'removed_at' end
    ], null) as changed
  from wished w
)
select
  case
    when standing = 'inactive_here' then 'suspended'
    when standing = 'release' then 'reactivate'
    when standing = 'suspended' and changed <> '{}' then 'update'
    else standing
  end,
  row_id,
  row_kennitala, row_name, row_email, row_phone, row_external_id, row_is_active, row_removed_at, row_sync_source,
  record_id, record_kennitala, new_name, new_email, new_phone,
  case when standing in ('reactivate', 'release') then true else row_is_active end,
  case when standing in ('suspended', 'inactive_here') or standing = 'update' and not is_our_member then row_removed_at end,
  case when standing = 'inactive_here' then '{}' else changed end,
  standing in ('suspended', 'inactive_here'),
  case standing when 'inactive_here' then standing when 'release' then 'released' end,
  -- On the register's word alone this row gets a vote, so it loses it on the register's word as well.
  case when standing = 'release' and not is_our_member then coalesce(row_sync_source, '') end,
  case when standing = 'release' and not is_our_member then 'django' end,
  case when changed <> '{}' and standing <> 'inactive_here' then public.change_digest(
    case when standing in ('reactivate', 'release') then 'join' else 'update' end,
    record_id, record_kennitala, new_name, new_email, new_phone
  ) end
from compared
where changed <> '{}' or standing in ('suspended', 'inactive_here')
