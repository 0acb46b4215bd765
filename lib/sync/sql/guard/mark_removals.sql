-- What the register said of each removal, and which ones it did not confirm.
update plan p
set confirmed = a.answer, set_aside = case when a.confirmed then p.set_aside else 'removal_unconfirmed' end
from unnest($1::int[], $2::text[], $3::boolean[]) as a(member_id, answer, confirmed)
where p.member_id = a.member_id and p.action = 'remove'
