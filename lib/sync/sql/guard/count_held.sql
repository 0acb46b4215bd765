select class, held as reason, count(*)::int as count
from pg_temp.plan
where held is not null
group by class, held
-- A class held as a whole is named before what waits for a reason of its own.
order by class, held in ('undone', 'blocked'), 3 desc, held desc
