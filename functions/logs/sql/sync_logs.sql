-- Runs, newest first. $1: only before this run, $2: status, $3: type, $4: how many, $5: who called or approved
-- (by themselves or through the admin's page), $6 and $7: the first and the last day, in UTC.
select to_jsonb(l) as log
from public.sync_log l
where ($1::int is null or l.id < $1::int)
  and ($2::text is null or l.status = $2::text)
  and ($3::text is null or l.sync_type = $3::text)
  and ($5::text is null or exists (
    select from unnest(array[l.details ->> 'caller', l.details ->> 'approved_by']) as who
    where lower(who) = lower($5::text) or starts_with(lower(who), lower($5::text) || ' via ')
  ))
  and ($6::date is null or l.sync_timestamp >= $6::date)
  and ($7::date is null or l.sync_timestamp < $7::date + 1)
order by l.id desc
limit $4::int
