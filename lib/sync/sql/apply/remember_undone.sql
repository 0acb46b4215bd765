-- What run $1 did and this undo took back, under the name that the next plan would give it. $2: the undo.
insert into public.undone_changes (outcome, run_id, external_id, kennitala)
select distinct
  coalesce(c.outcome, public.change_digest(
    case c.action when 'add' then 'join' when 'reactivate' then 'join' else c.action end,
    c.after ->> 'external_id', c.after ->> 'kennitala', c.after ->> 'name', c.after ->> 'email', c.after ->> 'phone'
  )),
  $2::int, c.after ->> 'external_id', c.after ->> 'kennitala'
from public.member_changes c
join pg_temp.applicable p on p.member_id = c.member_id
where c.run_id = $1::int
on conflict (outcome) do nothing
