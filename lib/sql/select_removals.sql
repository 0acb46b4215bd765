select member_id, external_id, kennitala
from plan
where action = 'remove' and held is null and evidence in ('absent', 'not_a_member')
order by member_id
