-- The members by our id, a part at a time. $1: the last id of the part before. $2: how many.
select id, external_id, kennitala, name, is_active is true as may_vote
from public.members
where id > $1::int
order by id
limit $2::int
