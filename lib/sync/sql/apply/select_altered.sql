-- Whether a stamp has changed what decides a vote, or taken a row away: a trigger of another service has. $1 and $2: the
-- ids of the rows lie between these.
select
from pg_temp.unstamped u
left join public.members m on m.id = u.id
where u.id between $1::int and $2::int
  and row(m.id, m.kennitala::text, m.is_active, m.removed_at, m.sync_source::text)
    is distinct from row(u.id, u.kennitala, u.is_active, u.removed_at, u.sync_source)
limit 1
