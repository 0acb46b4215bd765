-- What the register said of each removal and each member who comes back. $3: the error code of a change that it
-- does not confirm, or null. $4: why it is no member, in the words of the member's own page.
update pg_temp.plan p
set confirmed = a.finding, set_aside = coalesce(a.code, p.set_aside), reason = coalesce(a.reason, p.reason)
from unnest($1::int[], $2::text[], $3::text[], $4::text[]) as a(member_id, finding, code, reason)
where p.member_id = a.member_id and p.action in ('remove', 'reactivate')
