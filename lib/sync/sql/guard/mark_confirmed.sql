-- What the register said of each removal and each member who comes back. $3: the error code of a change that it
-- does not confirm, or null.
update pg_temp.plan p
set confirmed = a.finding, set_aside = coalesce(a.code, p.set_aside)
from unnest($1::int[], $2::text[], $3::text[]) as a(member_id, finding, code)
where p.member_id = a.member_id and p.action in ('remove', 'reactivate')
