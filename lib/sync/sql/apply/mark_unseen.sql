-- Members whom this run did not see, and whom the one before did. $1: the time of the run. $2: when the one before saw
-- the whole register, which is now written where it can be read without. $3: this run read the whole register. $4 and $5:
-- the ids of the rows lie between these.
update public.members m
set unseen_since = $1::timestamptz,
  last_verified_at = greatest(m.last_verified_at, $2::timestamptz at time zone 'UTC')
from (select row_id from pg_temp.sighting where to_mark and ($3::boolean or is_changed)) s
where m.id = s.row_id and m.id between $4::int and $5::int
