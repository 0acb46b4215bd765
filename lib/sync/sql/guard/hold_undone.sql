-- What an admin took back is not done again until the register no longer asks for it, or the plan is approved. It was
-- decided of a person: of their row, and of their Django id together with kennitala or name. Under another id or name
-- the same kennitala is asked for still, unless the register has the member of then under another one by now: then it
-- is somebody else's. Of a kennitala that a member got and lost again, and of a Django id, nobody is known alone. So is
-- held the vote of a member whose undone kennitala has a row of its own, with the row that it had before; and a removal,
-- whatever kennitala the row has by now. A name or an address that was taken back stays, while what else the register
-- says of the member is done. What was taken back before names were kept binds by kennitala or id alone. $1: the plan is
-- of the register. Of an undo it is only noted what it asks for again.
with undone as materialized (
  select u.*,
    coalesce(
      u.kind, case when u.outcome = public.value_digest('remove ' || u.kennitala) then 'remove' end,
      case when u.member_id is null then 'unknown' end
    ) as what,
    coalesce(i.is_member and i.kennitala <> u.kennitala, false)
      and not exists (select from pg_temp.shield s where s.external_id = u.external_id) as is_elsewhere,
    i.kennitala = u.kennitala or i.external_id is not null and i.name is null
      or public.value_digest(public.plain_name(i.name)) = u.name as is_asked
  from public.undone_changes u
  left join pg_temp.incoming i on i.external_id = u.external_id
  where $1::boolean
),
-- Who gets a kennitala that was taken back.
holder as (
  select p.id, u.outcome, u.what,
    case u.what
      when 'unknown' then true
      when 'join' then not u.is_elsewhere or p.external_id = u.external_id or n.is_same
      when 'move' then p.external_id = u.external_id or n.is_same and not u.is_elsewhere
    end as is_person
  from undone u
  join pg_temp.plan p on p.kennitala = u.kennitala and p.class in ('additions', 'kennitala_changes')
  cross join lateral (select public.value_digest(public.plain_name(p.name)) = u.name as is_same) n
),
asked as (
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
    and not exists (select from holder h where h.id = p.id and h.outcome = u.outcome and h.what = 'join' and not h.is_person)
),
person as (
  select id, outcome from holder where is_person
  union all
  select p.id, u.outcome
  from undone u
  join pg_temp.plan p on p.external_id = u.external_id
  where case u.what
    when 'unknown' then p.class = 'additions' or p.evidence = 'superseded'
    when 'remove' then p.class = 'removals' and (u.member_id is null or p.member_id = u.member_id)
    else u.what is not null and p.class = 'additions' and public.value_digest(public.plain_name(p.name)) = u.name
      or u.what = 'move' and p.evidence = 'superseded' and u.is_asked
  end
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
