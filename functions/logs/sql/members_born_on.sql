-- The rows, and the changes that wait since the last full run that held nothing, the newest first, with a kennitala that begins with these six digits, $1.
select id as row, external_id, kennitala, null::bytea as outcome, null::timestamptz as held_at from public.members
where kennitala between $1::text || '0000' and $1::text || '9999'
union all
select null, external_id, kennitala, outcome, held_at from public.held_changes
where kennitala between $1::text || '0000' and $1::text || '9999'
  and plan in (
    select plan from public.sync_log
    where status = 'held'
      and id > coalesce((select max(id) from public.sync_log where mode = 'full' and status in ('success', 'partial')), 0)
  )
order by held_at desc
