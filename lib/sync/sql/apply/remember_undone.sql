-- What run $1 did and this undo took back, under the names that the next plan would give it: that of what was decided
-- where it was about a vote, that of the change, and those of the fields, which later changes may ask for again beside
-- others; and whom it was decided of. $2: the undo.
insert into public.undone_changes (outcome, run_id, external_id, kennitala, member_id, name, kind)
select distinct on (w.outcome)
  w.outcome, $2::int, c.after ->> 'external_id'::text, c.after ->> 'kennitala'::text, c.member_id,
  public.value_digest(public.plain_name(c.after ->> 'name'::text)), w.kind
from public.member_changes c
join pg_temp.applicable p on p.member_id = c.member_id
cross join lateral (
  select k.kind,
    case k.kind
      when 'remove' then public.value_digest('remove ' || (c.before ->> 'kennitala'::text))
      when 'join' then public.value_digest('join ' || (c.after ->> 'kennitala'::text))
      when 'move' then public.value_digest('move ' || (c.before ->> 'kennitala'::text) || ' ' || (c.after ->> 'kennitala'::text))
      else coalesce(c.outcome, public.change_digest(
        c.action::text, c.after ->> 'external_id'::text, c.after ->> 'kennitala'::text, c.after ->> 'name'::text, c.after ->> 'email'::text,
        c.after ->> 'phone'::text
      ))
    end as outcome
  from (
    select case
      when c.action::text = 'remove' then 'remove'
      when c.action::text in ('add', 'reactivate') then 'join'
      when 'kennitala' = any(c.fields) then 'move'
    end as kind
  ) k
  union all
  select null, public.field_digest(c.member_id, f, coalesce(r.asked, public.value_digest(c.after ->> f)))
  from unnest(c.fields) f
  left join public.rewritten_values r
    on r.member_id = c.member_id and r.field::text = f and r.stored = public.value_digest(c.after ->> f)
  where c.action::text = 'update' and f in ('name', 'email', 'phone', 'external_id')
) w
where c.run_id = $1::int
order by w.outcome, c.id
on conflict (outcome) do nothing
