-- What syncStatus does not say: everybody who may vote, also from other systems, as member_eligibility has them, and
-- when a run last read the register, whatever it held back. $1: whether to count, which reads every row.
select
  case when $1::boolean then (select count(*)::int from public.members where is_active) end as voters,
  (
    select sync_timestamp at time zone 'UTC' from public.sync_log
    where mode in ('full', 'incremental') and status in ('success', 'partial', 'held')
    order by id desc limit 1
  ) as read_at
