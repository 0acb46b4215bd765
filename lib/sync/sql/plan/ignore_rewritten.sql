-- What the register asks for and the database stores otherwise, as it did before, is no change.
update pg_temp.plan p
set name = n.name, email = n.email, phone = n.phone, external_id = n.external_id, fields = n.fields,
  action = case when p.suspended and n.fields = '{}' then 'suspended' else p.action end,
  outcome = case when n.fields <> '{}' then public.change_digest(
    case p.action when 'reactivate' then 'join' else p.action end, n.external_id, p.kennitala, n.name, n.email, n.phone
  ) end
from (
  select p.id,
    case when 'name' = any(k.known) then p.old_name else p.name end as name,
    case when 'email' = any(k.known) then p.old_email else p.email end as email,
    case when 'phone' = any(k.known) then p.old_phone else p.phone end as phone,
    case when 'external_id' = any(k.known) then p.old_external_id else p.external_id end as external_id,
    array(select f from unnest(p.fields) f where f <> all(k.known)) as fields
  from pg_temp.plan p
  join (
    select p.id, array_agg(r.field::text) as known
    from pg_temp.plan p
    join public.rewritten_values r on r.member_id = p.member_id and r.field = any(p.fields)
    cross join lateral (values
      ('name', p.name, p.old_name), ('email', p.email, p.old_email), ('phone', p.phone, p.old_phone),
      ('external_id', p.external_id, p.old_external_id)
    ) as v(field, asked, stored)
    where v.field = r.field and public.value_digest(v.asked::text) = r.asked and public.value_digest(v.stored::text) = r.stored
      and p.action in ('update', 'reactivate')
    group by p.id
  ) k using (id)
) n
where p.id = n.id
