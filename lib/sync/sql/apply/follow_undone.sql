-- What the register says now of a person whose vote or kennitala was taken back and is asked for again: they may change
-- one thing after another, and stay the same. A row that says otherwise is written anew, which needs no right to update.
with said as materialized (
  select distinct on (w.outcome)
    w.outcome, u.run_id, u.undone_at, p.external_id, p.kennitala, u.member_id,
    public.value_digest(public.plain_name(p.name)) as name, case when p.action = 'update' then 'move' else 'join' end as kind
  from pg_temp.plan p
  join public.undone_changes u on u.outcome = any(p.undone)
  cross join lateral (select public.value_digest(p.decision) as outcome) w
  where p.held is not null and p.set_aside is null and p.class in ('additions', 'kennitala_changes') and u.kind::text in ('join', 'move')
  order by w.outcome, u.undone_at
),
otherwise as (
  delete from public.undone_changes u
  using said s
  where u.outcome = s.outcome and row(u.external_id::text, u.name) is distinct from row(s.external_id, s.name)
  returning u.outcome
)
insert into public.undone_changes (outcome, run_id, undone_at, external_id, kennitala, member_id, name, kind)
select outcome, run_id, undone_at, external_id, kennitala, member_id, name, kind
from said
where outcome in (select outcome from otherwise)
  or outcome not in (select outcome from public.undone_changes)
