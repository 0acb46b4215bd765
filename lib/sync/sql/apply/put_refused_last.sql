-- Changes of members of whom the last run's change was refused come last: the others, also those that were not tried,
-- are made before these use up the tries.
update pg_temp.plan p set turn = t.turn
from (
  select p.id, (select max(turn) from pg_temp.plan) + row_number() over (order by p.turn)::int as turn
  from pg_temp.plan p
  join public.open_findings o
    on o.code = 'changes_refused' and o.error_code in ('change_refused', 'row_locked') and o.external_id = coalesce(p.external_id, p.old_external_id)
) t
where p.id = t.id
