-- A change that needs a kennitala which a row keeps only because its own change is held has to wait with it.
update plan p set held = 'blocked'
where p.held is null
  and p.action <> 'suspended'
  and (p.action = 'add' or 'kennitala' = any(p.fields))
  and exists (
    select from public.members m
    where m.kennitala = p.kennitala and m.id is distinct from p.member_id
      and not exists (
        select from plan v
        where v.member_id = m.id and v.held is null and 'kennitala' = any(v.fields) and v.kennitala <> m.kennitala
      )
  )
