select
  case action when 'remove' then 'removals' when 'update' then 'updates' else 'additions' end as class,
  held as reason,
  count(*)::int as count
from plan
where held is not null
group by 1, 2
-- A class held as a whole is told before what waits for a reason of its own.
order by 1, held in ('undone', 'blocked'), 3 desc
