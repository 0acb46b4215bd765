-- What run $1 added stays as a removed row when it is undone. Where a member gets a kennitala back that
-- such a row took over, the row steps aside for good, to a placeholder that is no kennitala.
update pg_temp.plan p
set kennitala = '~' || to_hex(p.member_id), fields = p.fields || 'kennitala'::text
from public.member_changes c
where c.run_id = $1::int and c.member_id = p.member_id and c.action = 'add'
  and exists (select from pg_temp.plan o where o.kennitala = p.kennitala and o.member_id <> p.member_id)
