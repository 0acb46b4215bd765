-- The removals and the members who come back, to be confirmed. $1: the members were asked for one by one, which
-- settles all but the superseded.
select member_id, action, external_id, kennitala, coalesce(evidence = 'superseded', false) as superseded
from pg_temp.applicable
where action in ('remove', 'reactivate') and (coalesce(evidence = 'superseded', false) or not $1::boolean)
order by member_id
