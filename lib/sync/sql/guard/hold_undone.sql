-- What an admin took back is not done again until the register changes or the plan is approved.
update pg_temp.plan p set held = 'undone'
from (select outcome from public.undone_changes) u
where u.outcome = p.outcome
