-- Of the ids that the register does not know, those that no row here has either.
select a.external_id
from unnest($1::text[]) with ordinality as a(external_id, ordinal)
where not exists (select from public.members m where m.external_id = a.external_id)
order by a.ordinal
