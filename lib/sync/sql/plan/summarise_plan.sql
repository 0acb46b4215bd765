-- One row: what the plan does, class by class, and the digest that an approval must name. Each outcome is
-- the digest of one change and its new values; in their order they are the digest of the plan.
select
  count(*) filter (where action = 'add')::int as add,
  count(*) filter (where action = 'update')::int as update,
  count(*) filter (where action = 'reactivate')::int as reactivate,
  count(*) filter (where action = 'remove')::int as remove,
  count(*) filter (where suspended)::int as suspended,
  count(*) filter (where action = 'add' and name is null)::int as nameless,
  count(*) filter (where held is not null and action in ('add', 'reactivate'))::int as undone_additions,
  count(*) filter (where held is not null and action = 'update')::int as undone_updates,
  count(*) filter (where held is not null and action = 'remove')::int as undone_removals,
  'sha256:' || encode(sha256(coalesce(string_agg(outcome, ''::bytea order by outcome), ''::bytea)), 'hex') as digest
from plan
