-- How many rows have to say that this run saw them, and how many that it did not. $1: it read the whole register;
-- what a part of it does not name, it says nothing of.
select
  count(*) filter (where to_stamp)::int as to_stamp,
  count(*) filter (where to_mark and ($1::boolean or is_changed))::int as to_mark,
  (
    select register_seen_at from public.sync_log where register_seen_at is not null order by id desc limit 1
  ) as seen_before,
  (select sync_timestamp at time zone 'UTC' from public.sync_log where members_stamped order by id desc limit 1) as stamped_at
from pg_temp.sighting
