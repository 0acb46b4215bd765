-- What the database made of a value that run $1 asked for, by their digests: later plans do not ask again. Returns the
-- members of whom this was not known.
with known as (
  select distinct member_id from public.rewritten_values where member_id in (select member_id from pg_temp.rewritten)
),
stored as (
  insert into public.rewritten_values (member_id, field, asked, stored, run_id)
  select w.member_id, v.field, public.value_digest(v.asked::text), public.value_digest(v.stored::text), $1::int
  from pg_temp.rewritten w
  join pg_temp.plan p on p.id = w.plan_id
  join pg_temp.written m on m.plan_id = w.plan_id
  cross join lateral (values
    ('name', p.name, m.name::text), ('email', p.email, m.email::text), ('phone', p.phone, m.phone::text),
    ('external_id', p.external_id, m.external_id::text)
  ) as v(field, asked, stored)
  where v.asked is distinct from v.stored
  on conflict (member_id, field) do update
  set asked = excluded.asked, stored = excluded.stored, run_id = excluded.run_id, since = now()
  returning member_id, field
)
select p.external_id, string_agg(s.field::text, ', ' order by s.field) as fields
from stored s
join pg_temp.rewritten w on w.member_id = s.member_id
join pg_temp.plan p on p.id = w.plan_id
where s.member_id not in (select member_id from known)
group by p.external_id
order by p.external_id
