-- Puts members back as a backup has them, and as the audit trail says of those that a run has changed since. Run it
-- with psql as the owner, in the folder of members.csv, while the scheduler is paused. It shows what it would do and
-- takes it back; with --set=apply=yes it stays. It names rows by id and columns, and shows nothing of a person.
--
-- Only what runs alone write is changed back: of members of the register kennitala, name, email, phone and Django id,
-- rows that are gone, and all of a row that was deleted and made anew. The rest another service or a person may have
-- written after the backup: a ballot mark, a suspension. It is listed, and changed only with a switch of its own:
--   --set=is_active=yes   is_active and removed_at as the backup has them: this lifts a suspension made since
--   --set=metadata=yes    keys of metadata that are gone; a value that is there now always stays
--   --set=others=yes      rows of other services, and added_at and sync_source of all
--   --set=except=12,15    these rows stay as they are, whatever else is said
\set ON_ERROR_STOP on
\set QUIET on
\set VERBOSITY terse
\if :{?apply} \else \set apply no \endif
\if :{?is_active} \else \set is_active no \endif
\if :{?metadata} \else \set metadata no \endif
\if :{?others} \else \set others no \endif
\if :{?except} \else \set except '' \endif
\if :{?taken_at} \else
do $$ begin raise exception 'Say of when the backup is: --set=taken_at=2026-11-22T02:55:00Z'; end $$;
\endif
begin;
-- Readers go on; runs and other services wait until this is done.
lock table public.members in share row exclusive mode;

create temp table saved (
  id int primary key, kennitala varchar(10), name varchar(255), email varchar(255), phone varchar(20), is_active boolean,
  added_at timestamp, removed_at timestamp, sync_source varchar(50), external_id varchar(255), metadata jsonb,
  last_verified_at timestamp, unseen_since timestamptz
) on commit drop;
\copy saved from 'members.csv' with (format csv, header)

-- Who came back or left with a run since the backup stays as that run left them. An id alone is not enough: what the
-- first of these changes found must be the member of the backup.
update saved s set
  kennitala = c.after ->> 'kennitala', name = c.after ->> 'name', email = c.after ->> 'email', phone = c.after ->> 'phone',
  external_id = c.after ->> 'external_id', is_active = (c.after ->> 'is_active')::boolean,
  removed_at = (c.after ->> 'removed_at')::timestamp
from (
  select distinct on (member_id) member_id, after,
    first_value(before) over (partition by member_id order by changed_at, id) as found
  from public.member_changes
  where changed_at > :'taken_at'::timestamptz
  order by member_id, changed_at desc, id desc
) c
where c.member_id = s.id and (c.found ->> 'external_id' = s.external_id or c.found ->> 'kennitala' = s.kennitala);

-- Which row is whose: the same id with the same Django id or kennitala; else the kennitala, for those whose row was
-- deleted and made anew. An id alone is not enough: a table that was made anew counts from 1 again.
create temp table pair on commit drop as
select s.id as saved_id, m.id as row_id
from saved s
join public.members m on m.id = s.id and (m.external_id = s.external_id or m.kennitala = s.kennitala);
insert into pair
select s.id, m.id
from saved s
join public.members m on m.kennitala = s.kennitala
where s.id not in (select saved_id from pair) and m.id not in (select row_id from pair);

-- `ours` is a member of the register. `anew`: the row was deleted, and a run has added the person again. `filled` is
-- metadata with the keys that are gone since.
create temp table both_sides on commit drop as
select p.row_id, p.saved_id, s.external_id is not null and s.sync_source = 'django' as ours,
  exists (
    select from public.member_changes c
    where c.member_id = m.id and c.action = 'add' and c.changed_at > :'taken_at'::timestamptz
  ) as anew,
  case
    when m.metadata is null then s.metadata
    when jsonb_typeof(m.metadata) = 'object' and jsonb_typeof(s.metadata) = 'object' then s.metadata || m.metadata
    else m.metadata
  end as filled,
  array_remove(array[
    case when m.kennitala is distinct from s.kennitala then 'kennitala' end,
    case when m.name is distinct from s.name then 'name' end,
    case when m.email is distinct from s.email then 'email' end,
    case when m.phone is distinct from s.phone then 'phone' end,
    case when m.external_id is distinct from s.external_id then 'external_id' end
  ], null) as person,
  array_remove(array[
    case when m.is_active is distinct from s.is_active then 'is_active' end,
    case when m.removed_at is distinct from s.removed_at then 'removed_at' end
  ], null) as activity,
  array_remove(array[
    case when m.added_at is distinct from s.added_at then 'added_at' end,
    case when m.sync_source is distinct from s.sync_source then 'sync_source' end
  ], null) as origin,
  -- Of a row that was made anew nobody has lifted the suspension that the backup has.
  m.is_active and not s.is_active as was_inactive, m.metadata, s.metadata as saved_metadata
from pair p
join saved s on s.id = p.saved_id
join public.members m on m.id = p.row_id;

-- What differs, and which switch allows it: none for what runs alone write.
create temp table difference on commit drop as
select row_id, saved_id, filled, switch, columns
from both_sides
cross join lateral (values
  (case when ours then '' else 'others' end, person),
  (case when anew and was_inactive then '' when ours then 'is_active' else 'others' end, activity),
  (case when anew then '' else 'others' end, origin),
  (
    case when anew and metadata is null then '' else 'metadata' end,
    case when filled is distinct from metadata then array['metadata'] else '{}' end
  ),
  -- Written since.
  ('none', case when filled is distinct from saved_metadata then array['metadata'] else '{}' end)
) as d (switch, columns)
where columns <> '{}';

create temp table chosen on commit drop as
select row_id, saved_id, filled, array_agg(c order by c) as columns
from difference, unnest(columns) as c
where row_id <> all (string_to_array(:'except', ',')::int[]) and (
  switch = '' or (switch = 'is_active' and :'is_active'::boolean) or (switch = 'metadata' and :'metadata'::boolean)
  or (switch = 'others' and :'others'::boolean)
)
group by row_id, saved_id, filled;

create temp table lost on commit drop as
select s.*, s.external_id is not null and s.sync_source = 'django' as ours
from saved s
where s.id not in (select saved_id from pair) and s.id <> all (string_to_array(:'except', ',')::int[]);

\echo 'Rows that are changed back, by what differs:'
select columns, count(*) as rows, (array_agg(row_id order by row_id))[:5] as first_ids
from chosen group by columns order by count(*) desc;
\echo 'Differences that stay, by the switch that would change them back (none: written since, and never undone):'
select switch, columns, count(*) as rows, (array_agg(row_id order by row_id))[:20] as first_ids
from difference d
where switch = 'none' or not exists (select from chosen c where c.row_id = d.row_id and d.columns <@ c.columns)
group by switch, columns order by switch, count(*) desc;
\echo 'Rows of members that are gone and are put back:'
select count(*) as rows, count(*) filter (where is_active) as active from lost where ours;
\echo 'Rows of other services that are gone, put back with the switch others:'
select count(*) as rows, count(*) filter (where is_active) as active from lost where not ours;
\echo 'Rows that the backup does not have and no run has made since; they stay, look at each:'
select m.id, m.sync_source, m.is_active
from public.members m
where m.id not in (select row_id from pair)
  and not exists (select from public.member_changes c where c.member_id = m.id and c.changed_at > :'taken_at'::timestamptz)
order by m.id;

-- Two that have each other's kennitala would meet on the way.
update public.members m set kennitala = 'r' || m.id
from chosen d
where d.row_id = m.id and 'kennitala' = any(d.columns);
update public.members m set
  kennitala = case when 'kennitala' = any(d.columns) then s.kennitala else m.kennitala end,
  name = case when 'name' = any(d.columns) then s.name else m.name end,
  email = case when 'email' = any(d.columns) then s.email else m.email end,
  phone = case when 'phone' = any(d.columns) then s.phone else m.phone end,
  is_active = case when 'is_active' = any(d.columns) then s.is_active else m.is_active end,
  added_at = case when 'added_at' = any(d.columns) then s.added_at else m.added_at end,
  removed_at = case when 'removed_at' = any(d.columns) then s.removed_at else m.removed_at end,
  sync_source = case when 'sync_source' = any(d.columns) then s.sync_source else m.sync_source end,
  external_id = case when 'external_id' = any(d.columns) then s.external_id else m.external_id end,
  metadata = case when 'metadata' = any(d.columns) then d.filled else m.metadata end
from chosen d
join saved s on s.id = d.saved_id
where m.id = d.row_id;

-- With the id that other services know, unless somebody else has it now. No run has seen these rows since.
insert into public.members (
  id, kennitala, name, email, phone, is_active, added_at, removed_at, sync_source, external_id, metadata, last_verified_at,
  unseen_since
)
select
  case when exists (select from public.members m where m.id = s.id) then nextval('public.members_id_seq') else s.id end,
  kennitala, name, email, phone, is_active, added_at, removed_at, sync_source, external_id, metadata, last_verified_at,
  coalesce(unseen_since, now())
from lost s
where ours or :'others'::boolean;
do $$
begin
  perform setval('public.members_id_seq', max(id)) from public.members
  having max(id) > (select last_value from public.members_id_seq);
end
$$;

\if :apply
commit;
\echo 'Done.'
\else
rollback;
\echo 'Nothing was changed. With --set=apply=yes this is done.'
\endif
