-- What the run applies: the plan without what is held.
select
  count(*) filter (where action = 'add')::int as add,
  count(*) filter (where action = 'update')::int as update,
  count(*) filter (where action = 'reactivate')::int as reactivate,
  count(*) filter (where action = 'remove')::int as remove
from plan
where held is null
