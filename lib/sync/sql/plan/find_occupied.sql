-- The rows that have a kennitala which the plan gives to another member.
insert into pg_temp.occupied (kennitala, row_id)
select m.kennitala, m.id
from pg_temp.plan p
join public.members m on m.kennitala = p.kennitala
where p.action <> 'suspended' and (p.action = 'add' or 'kennitala' = any(p.fields))
  and m.id is distinct from p.member_id
