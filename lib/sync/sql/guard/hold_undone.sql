-- What an admin took back is not done again until the register changes or the plan is approved.
update pg_temp.plan p set held = 'undone'
where p.outcome in (select outcome from public.undone_changes)
  or public.value_digest(p.decision) in (select outcome from public.undone_changes)
