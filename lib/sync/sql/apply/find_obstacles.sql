-- The changes that cannot be made now: of rows that somebody else holds, or that are no longer as the plan saw them;
-- and those that give a kennitala which somebody else has written meanwhile.
select p.id, case when l.plan_id is null and m.id is not null then 'row_locked' else 'plan_outdated' end as code
from pg_temp.applicable p
left join pg_temp.locked_rows l on l.plan_id = p.id
left join public.members m on m.id = p.member_id and l.plan_id is null
where p.member_id is not null and l.is_same is not true
union
select p.id, 'plan_outdated'
from pg_temp.applicable p
join public.members m on m.kennitala = p.kennitala
where (p.action = 'add' or 'kennitala' = any(p.fields)) and m.id is distinct from p.member_id
  and not exists (select from pg_temp.applicable v where v.member_id = m.id and v.kennitala <> m.kennitala)
