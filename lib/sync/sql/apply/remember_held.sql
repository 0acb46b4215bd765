-- What waits, under the digest $1 that an approval of it must name. A run after run that holds the same writes nothing.
insert into public.held_changes (plan, outcome, class, external_id, kennitala, action, reason)
select distinct on (outcome) $1::text, outcome, class, external_id, kennitala, action, held
from pg_temp.plan
where held is not null and outcome is not null
on conflict do nothing
