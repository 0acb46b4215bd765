-- What an admin took back is not done again until the register no longer asks for it, or the plan is approved. A
-- kennitala is a person: under another Django id or name it is asked for still.
update pg_temp.plan p set held = 'undone'
where p.outcome in (select outcome from public.undone_changes)
  or public.value_digest(p.decision) in (select outcome from public.undone_changes)
