-- Changes of run $1 (of the members $2 only; null: of all) whose member is no longer as that run left it, or whose old
-- kennitala is taken. What an earlier undo of that run took back, and nobody has done again since, is as it was wanted.
select c.after ->> 'external_id' as external_id
from public.member_changes c
where c.run_id = $1::int
  and ($2::text[] is null or c.after ->> 'external_id' = any($2) or c.before ->> 'external_id' = any($2))
  and not exists (select from pg_temp.plan p where p.member_id = c.member_id)
  and not exists (
    select from public.member_changes u
    where u.member_id = c.member_id and u.run_id > $1::int
      and u.run_id in (select id from public.sync_log where details ->> 'undo' = $1::int::text)
      and not exists (
        select from public.member_changes l
        where l.member_id = c.member_id and l.run_id > u.run_id and l.fields && u.fields
          and l.run_id not in (select id from public.sync_log where details ->> 'undo' = $1::int::text)
      )
  )
order by c.id
