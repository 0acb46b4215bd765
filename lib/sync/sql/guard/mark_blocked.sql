-- A change that needs a kennitala which a row keeps only because its own change is not made has to wait with it. $1: as
-- held, for an admin; else as set aside, for the register to confirm the other one.
update pg_temp.plan p
set held = case when $1::boolean then 'blocked' end, set_aside = case when not $1::boolean then 'change_waits' end
where p.held is null and p.set_aside is null
  and (p.action = 'add' or 'kennitala' = any(p.fields))
  and exists (
    select from pg_temp.occupied o
    where o.kennitala = p.kennitala and o.row_id is distinct from p.member_id
      and not exists (
        select from pg_temp.applicable v
        where v.member_id = o.row_id and 'kennitala' = any(v.fields) and v.kennitala <> o.kennitala
      )
  )
returning external_id
