-- What an admin took back is not done again until the register no longer asks for it, or the plan is approved. A
-- kennitala is a person: under another Django id or name it is asked for still, and so is the vote of a Django id whose
-- kennitala is another one now, with the row that it had before; a removal too, whatever kennitala the row has by now.
-- A name or an address that was taken back stays, while what else the register says of the member is done. $1: the plan
-- is of the register. Of an undo it is only noted what it asks for again.
with asked as (
  select p.id, u.outcome, a.field
  from pg_temp.plan p
  cross join lateral (
    select p.outcome, null as field
    union all
    select public.value_digest(p.decision), null
    union all
    select public.field_digest(p.member_id, v.field, public.value_digest(v.asked)), v.field
    from (
      values ('name', p.name), ('email', p.email), ('phone', p.phone), ('external_id', p.external_id)
    ) as v(field, asked)
    where p.action in ('update', 'reactivate') and v.field = any(p.fields)
  ) a
  join public.undone_changes u on u.outcome = a.outcome
  where exists (select from public.undone_changes)
),
undone as materialized (
  select u.*, u.outcome = public.value_digest('remove ' || u.kennitala) as is_removal
  from public.undone_changes u
  where $1::boolean
),
person as (
  select p.id, u.outcome
  from undone u
  join pg_temp.plan p on p.kennitala = u.kennitala
  where not u.is_removal and p.class in ('additions', 'kennitala_changes')
  union all
  select p.id, u.outcome
  from undone u
  join pg_temp.plan p on p.external_id = u.external_id
  where case when u.is_removal then p.class = 'removals' else p.class = 'additions' or p.evidence = 'superseded' end
),
matched as (
  select a.id, array_agg(a.outcome) as outcomes, array_remove(array_agg(a.field), null) as fields,
    bool_or(a.field is null) as is_whole
  from (select * from asked union all select id, outcome, null from person) a
  group by a.id
),
judged as (
  select p.id, m.outcomes,
    not $1::boolean or m.is_whole or p.fields <@ m.fields as is_whole,
    m.fields as kept
  from matched m
  join pg_temp.plan p using (id)
)
update pg_temp.plan p
set held = case when $1::boolean and j.is_whole then 'undone' end,
  undone = case when j.is_whole then j.outcomes end,
  kept = case when not j.is_whole then j.outcomes end,
  name = n.name, email = n.email, phone = n.phone, external_id = n.external_id, fields = n.fields,
  outcome = case when j.is_whole then p.outcome else public.change_digest(
    case p.action when 'reactivate' then 'join' else p.action end, n.external_id, p.kennitala, n.name, n.email, n.phone
  ) end
from judged j
join (
  select p.id,
    case when not j.is_whole and 'name' = any(j.kept) then p.old_name else p.name end as name,
    case when not j.is_whole and 'email' = any(j.kept) then p.old_email else p.email end as email,
    case when not j.is_whole and 'phone' = any(j.kept) then p.old_phone else p.phone end as phone,
    case when not j.is_whole and 'external_id' = any(j.kept) then p.old_external_id else p.external_id end as external_id,
    case when j.is_whole then p.fields else array(select f from unnest(p.fields) f where f <> all(j.kept)) end as fields
  from judged j
  join pg_temp.plan p using (id)
) n using (id)
where p.id = j.id
