-- What an admin took back is not done again until the register no longer asks for it, or the plan is approved. A
-- kennitala is a person: under another Django id or name it is asked for still, and so is the vote of a Django id whose
-- kennitala is another one now, with the row that it had before.
update pg_temp.plan p set held = 'undone'
where p.outcome in (select outcome from public.undone_changes)
  or public.value_digest(p.decision) in (select outcome from public.undone_changes)
  or exists (
    select from public.undone_changes u
    where u.outcome <> public.value_digest('remove ' || u.kennitala)
      and (
        p.class in ('additions', 'kennitala_changes') and u.kennitala = p.kennitala
        or (p.class = 'additions' or p.evidence = 'superseded') and u.external_id = p.external_id
      )
  )
