-- What run $1 added stays as a removed row when it is undone. Where a member gets a kennitala back that such a row
-- took over, the row steps aside for good: to a placeholder that is no kennitala, or, where a rule of the database
-- wants one, to that of nobody.
update pg_temp.plan p
set kennitala = case when r.has_rule then s.kennitala else '~' || to_hex(p.member_id) end,
  fields = p.fields || 'kennitala'::text
from (
  select p.id, row_number() over (order by p.id) as n
  from pg_temp.plan p
  join public.member_changes c on c.member_id = p.member_id
  where c.run_id = $1::int and c.action = 'add'
    and exists (select from pg_temp.plan o where o.kennitala = p.kennitala and o.member_id <> p.member_id)
) w
join pg_temp.spare s using (n)
cross join (
  select t.typtype = 'd' or exists (
    select from pg_constraint c
    where c.conrelid = a.attrelid and c.contype in ('c', 'x') and a.attnum = any(c.conkey)
  ) or exists (
    select from pg_trigger t where t.tgrelid = a.attrelid and not t.tgisinternal and t.tgenabled <> 'D'
  ) as has_rule
  from pg_attribute a join pg_type t on t.oid = a.atttypid
  where a.attrelid = 'public.members'::regclass and a.attname = 'kennitala'
) r
where p.id = w.id
