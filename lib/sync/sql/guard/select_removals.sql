-- The removals to confirm. $1: the members were asked for one by one, which settles all but the superseded.
select member_id, external_id, kennitala, evidence = 'superseded' as superseded
from applicable
where action = 'remove' and (evidence = 'superseded' or not $1::boolean)
order by member_id
