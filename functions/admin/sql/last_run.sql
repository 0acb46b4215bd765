-- The last run before those that go on.
select coalesce(
  (select min(id) - 1 from public.sync_log where status = 'pending'),
  (select max(id) from public.sync_log), 0
) as id
