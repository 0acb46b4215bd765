-- What run $1 did and this undo took back, under the name that the next plan would give it: that of what was decided
-- where it was about a vote, else that of the change. $2: the undo.
insert into public.undone_changes (outcome, run_id, external_id, kennitala)
select distinct
  case
    when c.action = 'remove' then public.value_digest('remove ' || (c.before ->> 'kennitala'))
    when c.action in ('add', 'reactivate') then public.value_digest('join ' || (c.after ->> 'kennitala'))
    when 'kennitala' = any(c.fields) then
      public.value_digest('move ' || (c.before ->> 'kennitala') || ' ' || (c.after ->> 'kennitala'))
    else coalesce(c.outcome, public.change_digest(
      c.action::text, c.after ->> 'external_id', c.after ->> 'kennitala', c.after ->> 'name', c.after ->> 'email',
      c.after ->> 'phone'
    ))
  end,
  $2::int, c.after ->> 'external_id', c.after ->> 'kennitala'
from public.member_changes c
join pg_temp.applicable p on p.member_id = c.member_id
where c.run_id = $1::int
on conflict (outcome) do nothing
