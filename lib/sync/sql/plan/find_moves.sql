-- A record claims the row with its Django id when that row has another kennitala and the same name: the member's
-- kennitala changed. Where the name differs as well, the id is used again for somebody else. Where another row has
-- both kennitala and name, that row is the member's, and only its id changed. A record without a name key leaves
-- the id to decide. A name that a trigger stores otherwise, that an admin took back or that waits for one, is the one
-- that the register has. Ids are Django's own
-- only on rows that came from Django or that an earlier run linked. The record of a former member claims its row as well,
-- where another record has that row's kennitala: the member of that one must not go on in a leaver's row. But not the row
-- of a person who came back under another id.
insert into pg_temp.move (ordinal, row_id)
with recursive renamed as materialized (
  select member_id, asked, stored from public.rewritten_values where field = 'name'
),
claim as materialized (
  select distinct on (wish.ordinal) wish.ordinal, wish.row_id as holder_id, wanted.row_id
  from pg_temp.pair wish
  join pg_temp.pair wanted on wanted.row_external_id = wish.record_id
  left join renamed r on r.member_id = wanted.row_id and r.asked = public.value_digest(wish.record_name)
    and r.stored = public.value_digest(wanted.row_name)
  where (
      wish.is_member
      or wish.record_kennitala is not null and wanted.record_id is not null
        and public.plain_name(wanted.record_name) is distinct from public.plain_name(wanted.row_name)
    )
    and wish.row_external_id is distinct from wish.record_id
    and wanted.record_id is distinct from wanted.row_external_id
    and (wanted.row_sync_source = 'django' or wanted.row_is_linked)
    and (
      wish.record_name is null
      or (
        r.member_id is not null
        or public.plain_name(wish.record_name) = public.plain_name(wanted.row_name)
        or public.field_digest(wanted.row_id, 'name'::text, public.value_digest(wish.record_name))
          in (select outcome from public.undone_changes)
        or public.change_digest(
          'update'::text, wish.record_id, wanted.row_kennitala, wish.record_name,
          case when wish.has_email then wish.record_email else wanted.row_email end,
          case when wish.has_phone then wish.record_phone else wanted.row_phone end
        ) in (select outcome from public.held_changes)
      )
      and (public.plain_name(wish.record_name) = public.plain_name(wish.row_name)) is not true
    )
  -- A row that had another name before it was linked comes last: the kennitala may have been given by mistake.
  order by wish.ordinal, (public.plain_name(wanted.row_unlinked ->> 'name') <> public.plain_name(wanted.row_name)) is true,
    wanted.row_is_active desc nulls last, wanted.row_id
),
-- Where the new kennitala is on a row that nobody moves away from, two rows are one person: the row with the
-- kennitala is kept, and a record that waited for this place stays where it is as well.
merged as (
  select c.ordinal, c.row_id
  from claim c
  where c.holder_id is not null and not exists (select from claim h where h.row_id = c.holder_id)
  union
  select c.ordinal, c.row_id
  from merged g join claim c on c.holder_id = g.row_id
)
select ordinal, row_id from claim where ordinal not in (select ordinal from merged)
