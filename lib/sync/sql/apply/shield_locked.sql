-- The records of members whose rows somebody else holds now: they get no stamp, and the others need not wait.
with free as materialized (
  select m.kennitala
  from public.members m
  join (select kennitala from pg_temp.incoming where is_member) i on i.kennitala = m.kennitala
  for no key update of m skip locked
)
insert into pg_temp.shield (external_id, kennitala)
select i.external_id, i.kennitala
from pg_temp.incoming i
where i.is_member and i.kennitala not in (select kennitala from free)
