-- Members whom this run saw, and of whom its own row in sync_log would not say it. $1: the time of the run.
-- $2 and $3: the ids of the rows lie between these.
update public.members m
set unseen_since = null, last_verified_at = $1::timestamptz at time zone 'UTC'
from (select row_id from pg_temp.sighting where to_stamp) s
where m.id = s.row_id and m.id between $2::int and $3::int
