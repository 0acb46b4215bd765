-- Of the Django ids $2, those that run $1 changed nothing of.
select w.external_id
from unnest($2::text[]) as w(external_id)
where not exists (
  select from public.member_changes c
  where c.run_id = $1::int
    and w.external_id in (c.after ->> 'external_id', c.before ->> 'external_id')
)
