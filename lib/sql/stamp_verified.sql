-- Every member that the run saw. After the changes a member's row holds the kennitala of its record.
update public.members m
set last_verified_at = $1::timestamptz at time zone 'UTC'
from incoming i
where i.kennitala = m.kennitala and i.is_member
  and m.last_verified_at is distinct from $1::timestamptz at time zone 'UTC'
