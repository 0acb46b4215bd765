-- A part at a time, so that no run is slow because of it. $1: days.
delete from public.member_changes
where ctid = any(array(
  select ctid from public.member_changes where changed_at < now() - make_interval(days => $1::int) limit 50000
))
