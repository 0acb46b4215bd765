-- Whether a member whom this run did not see is not marked so, whatever dropped the mark. $1: this run read the whole
-- register.
select
from pg_temp.sighting s
join public.members m on m.id = s.row_id
where s.to_mark and ($1::boolean or s.is_changed) and m.unseen_since is null
limit 1
