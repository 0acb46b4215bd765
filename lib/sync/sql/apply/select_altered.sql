-- Whether a stamp has changed what decides a vote: a trigger of another service has. $1 and $2: the ids of the rows lie
-- between these.
select
from public.members m
join pg_temp.unstamped u on u.id = m.id
where m.id between $1::int and $2::int
  and row(m.kennitala::text, m.is_active, m.removed_at, m.sync_source::text)
    is distinct from row(u.kennitala, u.is_active, u.removed_at, u.sync_source)
limit 1
