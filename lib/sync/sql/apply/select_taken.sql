-- The kennitölur of the turns $1 to $2 that a row has which the plan does not move away from them.
select p.id
from pg_temp.applicable p
join public.members m on m.kennitala = p.kennitala
where p.turn between $1::int and $2::int
  and (p.action = 'add' or 'kennitala' = any(p.fields)) and m.id is distinct from p.member_id
  and not exists (select from pg_temp.applicable v where v.member_id = m.id and v.kennitala <> m.kennitala)
limit 1
