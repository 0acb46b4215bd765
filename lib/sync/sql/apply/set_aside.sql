-- Sets changes of the plan aside. $1: their ids, $2: the error code of each.
update pg_temp.plan p set set_aside = s.code
from unnest($1::int[], $2::text[]) as s(id, code)
where p.id = s.id
returning s.code, coalesce(p.external_id, p.old_external_id) as external_id
