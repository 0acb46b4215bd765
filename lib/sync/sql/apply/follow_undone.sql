-- What the register says now of a person whose vote or kennitala was taken back and is asked for again: they may change
-- one thing after another, and stay the same.
insert into public.undone_changes (outcome, run_id, undone_at, external_id, kennitala, member_id, name, kind)
select distinct on (w.outcome)
  w.outcome, u.run_id, u.undone_at, p.external_id, p.kennitala, u.member_id,
  public.value_digest(public.plain_name(p.name)), case when p.action = 'update' then 'move' else 'join' end
from pg_temp.plan p
join public.undone_changes u on u.outcome = any(p.undone)
cross join lateral (select public.value_digest(p.decision) as outcome) w
where p.held is not null and p.set_aside is null and p.class in ('additions', 'kennitala_changes') and u.kind in ('join', 'move')
order by w.outcome, u.undone_at
on conflict (outcome) do update set external_id = excluded.external_id, name = excluded.name
where undone_changes.external_id is distinct from excluded.external_id
  or undone_changes.name is distinct from excluded.name
