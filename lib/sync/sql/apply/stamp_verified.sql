-- Every member that the run saw, but for rows that may be another's than the record's. After the changes a member's
-- row holds the kennitala of its record. The stamp tells later plans that the external_id is Django's: a row of another
-- service whose link is held back still has that service's own number, and does not get it. $2 and
-- $3: the ids of the rows lie between these.
update public.members m
set last_verified_at = $1::timestamptz at time zone 'UTC', unseen_since = null
from (
  select i.kennitala, i.external_id
  from pg_temp.incoming i
  left join pg_temp.shield s on s.kennitala = i.kennitala and s.external_id = i.external_id
  where i.is_member and s.kennitala is null
) i
where i.kennitala = m.kennitala::text
  and (m.sync_source::text = 'django' or m.external_id::text = i.external_id)
  and m.id between $2::int and $3::int
  and (m.last_verified_at is distinct from $1::timestamptz at time zone 'UTC' or m.unseen_since is not null)
