-- A row whose kennitala another one gets steps aside first: the unique constraint looks at every row as it changes.
update pg_temp.plan p set placeholder = s.kennitala
from (
  select id, row_number() over (order by id) as n from pg_temp.plan where id in (select needs from pg_temp.plan)
) w
join pg_temp.spare s using (n)
where p.id = w.id
