-- What needs a kennitala which a row keeps because the register did not confirm its change waits with that change.
update pg_temp.plan p set set_aside = 'change_waits'
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
