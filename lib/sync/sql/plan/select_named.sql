-- Members whose record or row needs a person: a new one without a name, and a newcomer whose row here is inactive.
select external_id, coalesce(set_aside, evidence) as code
from pg_temp.plan
where set_aside = 'invalid_name' or evidence = 'inactive_here'
order by id
