-- A change that is no longer asked for, or was approved, is not held the next time. $1: this run saw
-- the whole register, so a change missing from the plan is not asked for.
delete from public.undone_changes u
where exists (select from applicable p where p.outcome = u.outcome)
  or ($1::boolean and not exists (select from plan p where p.outcome = u.outcome))
