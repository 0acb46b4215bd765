-- Members by a part of their name, those who may vote first. $1: the part, with % and _ escaped. $2: how many.
select id, external_id, kennitala, name, is_active is true as may_vote
from public.members
where name ilike '%' || $1::text || '%'
order by is_active is true desc, name, id
limit $2::int
