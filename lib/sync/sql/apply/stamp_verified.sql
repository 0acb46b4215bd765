-- Every member that the run saw. After the changes a member's row holds the kennitala of its record. The
-- stamp tells later plans that the external_id is Django's: a row of another service whose link is held
-- back still has that service's own number, and does not get it.
update public.members m
set last_verified_at = $1::timestamptz at time zone 'UTC', unseen_since = null
from (select kennitala, external_id from pg_temp.incoming where is_member) i
where i.kennitala = m.kennitala
  and (m.sync_source = 'django' or m.external_id = i.external_id)
  and (m.last_verified_at is distinct from $1::timestamptz at time zone 'UTC' or m.unseen_since is not null)
