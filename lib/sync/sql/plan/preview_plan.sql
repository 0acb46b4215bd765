select action, external_id, kennitala, fields, held
from plan
where action <> 'suspended' and set_aside is null
order by array_position(array['remove', 'add', 'reactivate', 'update'], action), external_id, kennitala
limit $1::int
