-- The changes of each day of some days, and how many may vote at its end: counted back from now. $1 and $2: from and
-- before, in UTC.
with change as (
  select sync_timestamp::date as day,
    coalesce(members_added, 0) + coalesce(members_reactivated, 0) as joined,
    coalesce(members_removed, 0) as "left", coalesce(members_updated, 0) as changed
  from public.sync_log
  where sync_timestamp >= $1::timestamp
), now_active as (
  select count(*)::int as members from public.members where is_active and sync_source = 'django'
), day as (
  select day::date
  from generate_series($1::timestamp, least($2::timestamp - interval '1 day', now() at time zone 'UTC'), interval '1 day') as day
)
select to_char(d.day, 'YYYY-MM-DD') as day,
  coalesce(sum(c.joined) filter (where c.day = d.day), 0)::int as joined,
  coalesce(sum(c."left") filter (where c.day = d.day), 0)::int as "left",
  coalesce(sum(c.changed) filter (where c.day = d.day), 0)::int as changed,
  greatest(0, (select members from now_active)
    - coalesce(sum(c.joined - c."left") filter (where c.day > d.day), 0))::int as members
from day d
left join change c on c.day >= d.day
group by d.day
order by d.day
