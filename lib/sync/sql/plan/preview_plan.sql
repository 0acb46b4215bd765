select p.action, p.external_id, p.kennitala, p.fields, p.held
from plan p
where p.action <> 'suspended'
order by array_position(array['remove', 'add', 'reactivate', 'update'], p.action), p.external_id, p.kennitala
limit $1::int
