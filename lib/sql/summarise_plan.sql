-- One row: what the plan does, class by class, and the digest that an approval must name.
select
  count(*) filter (where action = 'add')::int as add,
  count(*) filter (where action = 'update')::int as update,
  count(*) filter (where action = 'reactivate')::int as reactivate,
  count(*) filter (where action = 'remove')::int as remove,
  count(*) filter (where suspended)::int as suspended,
  count(*) filter (where held = 'undone' and action in ('add', 'reactivate'))::int as undone_additions,
  count(*) filter (where held = 'undone' and action = 'update')::int as undone_updates,
  count(*) filter (where held = 'undone' and action = 'remove')::int as undone_removals,
  'sha256:' || encode(sha256(coalesce(
    string_agg(convert_to(action, 'UTF8') || outcome, ''::bytea order by action, outcome)
      filter (where action <> 'suspended'),
    ''::bytea
  )), 'hex') as digest
from plan
