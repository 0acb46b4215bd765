-- Changes of run $1 (of the members $2 only; null: of all) whose member is no longer as that run left it, or whose old kennitala is taken.
select c.after ->> 'external_id' as external_id
from public.member_changes c
where c.run_id = $1::int
  and ($2::text[] is null or c.after ->> 'external_id' = any($2) or c.before ->> 'external_id' = any($2))
  and not exists (select from pg_temp.plan p where p.member_id = c.member_id)
order by c.id
