-- Puts members back as a backup has them, and as the audit trail says of those that a run has changed since. Run it
-- with psql as the owner, in the folder of members.csv, while the scheduler is paused. It shows what it would do and
-- takes it back; with --set=apply=yes it stays. It names rows by id and columns, and shows nothing of a person.
\set ON_ERROR_STOP on
\set QUIET on
\set VERBOSITY terse
\if :{?apply} \else \set apply no \endif
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

create temp table difference on commit drop as
select * from (
  select p.row_id, p.saved_id, array_remove(array[
    case when m.kennitala is distinct from s.kennitala then 'kennitala' end,
    case when m.name is distinct from s.name then 'name' end,
    case when m.email is distinct from s.email then 'email' end,
    case when m.phone is distinct from s.phone then 'phone' end,
    case when m.is_active is distinct from s.is_active then 'is_active' end,
    case when m.added_at is distinct from s.added_at then 'added_at' end,
    case when m.removed_at is distinct from s.removed_at then 'removed_at' end,
    case when m.sync_source is distinct from s.sync_source then 'sync_source' end,
    case when m.external_id is distinct from s.external_id then 'external_id' end,
    case when m.metadata is distinct from s.metadata then 'metadata' end
  ], null) as columns
  from pair p
  join saved s on s.id = p.saved_id
  join public.members m on m.id = p.row_id
) compared
where columns <> '{}';

\echo 'Rows that are changed back, by what differs:'
select columns, count(*) as rows, (array_agg(row_id order by row_id))[:5] as first_ids
from difference group by columns order by count(*) desc;
\echo 'Rows that are gone and are put back:'
select count(*) as rows, count(*) filter (where is_active) as active
from saved where id not in (select saved_id from pair);
\echo 'Rows that the backup does not have and no run has made since; they stay, look at each:'
select m.id, m.sync_source, m.is_active
from public.members m
where m.id not in (select row_id from pair)
  and not exists (select from public.member_changes c where c.member_id = m.id and c.changed_at > :'taken_at'::timestamptz)
order by m.id;

-- Two that have each other's kennitala would meet on the way.
update public.members m set kennitala = 'r' || m.id
from difference d
where d.row_id = m.id and 'kennitala' = any(d.columns);
update public.members m set
  kennitala = s.kennitala, name = s.name, email = s.email, phone = s.phone, is_active = s.is_active, added_at = s.added_at,
  removed_at = s.removed_at, sync_source = s.sync_source, external_id = s.external_id, metadata = s.metadata
from difference d
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
from saved s
where s.id not in (select saved_id from pair);
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
