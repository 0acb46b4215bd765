-- Of the Django ids $2, those that name more than one member whose change of run $1 would be taken back.
select w.external_id
from unnest($2::text[]) as w(external_id)
where (
  select count(distinct c.member_id) from public.member_changes c
  join pg_temp.plan p on p.member_id = c.member_id
  where c.run_id = $1::int and w.external_id in (c.after ->> 'external_id', c.before ->> 'external_id')
) > 1
