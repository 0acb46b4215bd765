-- A row whose kennitala another one gets steps aside first: the unique constraint looks at every row as it changes.
update pg_temp.plan p set placeholder = s.kennitala
from (
  select id, row_number() over (order by id) as n from pg_temp.plan where id in (select needs from pg_temp.plan)
) w
join (
  select kennitala, row_number() over () as n
  from (select kennitala from pg_temp.spare limit (select count(distinct needs) from pg_temp.plan)) enough
) s using (n)
where p.id = w.id
