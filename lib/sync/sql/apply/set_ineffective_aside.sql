-- The database wrote something, and the row is as it was.
update pg_temp.plan p set set_aside = 'value_rewritten'
from pg_temp.rewritten w
where w.plan_id = p.id and not w.has_effect
