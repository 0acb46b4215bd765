-- Of each id whose page is to be believed ($1), the members of the list on either side of it, by number or spelling. They
-- have pages like it, if any has. $2: the walk saw the whole register; else the list is what earlier runs have seen.
with listed as materialized (
  select external_id, kennitala from pg_temp.incoming where $2::boolean and is_member
  union all
  select external_id, kennitala from public.members
  where not $2::boolean and is_active and sync_source = 'django' and external_id is not null
    and last_verified_at is not null and unseen_since is null
)
select d.id, n.external_id, n.kennitala
from unnest($1::text[]) as d(id)
cross join lateral (
  (
    select external_id, kennitala from listed
    where (length(external_id), external_id) > (length(d.id), d.id) and external_id <> all($1::text[])
    order by length(external_id), external_id limit 2
  )
  union all
  (
    select external_id, kennitala from listed
    where (length(external_id), external_id) < (length(d.id), d.id) and external_id <> all($1::text[])
    order by length(external_id) desc, external_id desc limit 2
  )
) n
