-- What the run applies, action by action, and what else its result says.
select
  count(*) filter (where applied and action = 'add')::int as added,
  count(*) filter (where applied and action = 'update')::int as updated,
  count(*) filter (where applied and class = 'kennitala_changes')::int as kennitala_changed,
  count(*) filter (where applied and action = 'reactivate')::int as reactivated,
  count(*) filter (where applied and action = 'remove')::int as removed,
  count(*) filter (where applied and released is null)::int as counted,
  -- Members of the register without an active row here before this run.
  count(*) filter (where class = 'additions')::int as not_here,
  count(*) filter (where action <> 'suspended' and set_aside is null)::int as total,
  count(*) filter (where suspended)::int as suspended,
  count(*) filter (where set_aside = 'removal_unconfirmed')::int as unconfirmed
from pg_temp.plan
cross join lateral (
  select held is null and set_aside is null and action <> 'suspended' as applied
) a
