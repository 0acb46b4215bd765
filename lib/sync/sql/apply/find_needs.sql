-- A change that gives a member the kennitala of another row can be made only with the change that takes it from there.
update pg_temp.plan p set needs = v.id
from pg_temp.occupied o
join pg_temp.applicable v on v.member_id = o.row_id and v.kennitala <> o.kennitala
where o.kennitala = p.kennitala and o.row_id is distinct from p.member_id
  and p.held is null and p.set_aside is null
  and (p.action = 'add' or p.action <> 'suspended' and 'kennitala' = any(p.fields))
