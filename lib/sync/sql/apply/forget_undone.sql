-- A change that was approved, or that a readable record no longer asks for, is not held the next time. $1: this
-- run saw the whole register and could read it, so a change missing from the plan is not asked for; but a record
-- that was set aside says nothing of its member, and a removal that was not confirmed is asked for still.
delete from public.undone_changes u
where exists (select from pg_temp.applicable p where u.outcome = any(p.undone))
  or $1::boolean
    and not exists (select from pg_temp.plan p where u.outcome = any(p.undone) or u.outcome = any(p.kept))
    and not exists (select from pg_temp.shield s where s.external_id = u.external_id::text)
    and not exists (select from pg_temp.shield s where s.kennitala = u.kennitala::text)
