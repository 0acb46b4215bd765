-- Of each id whose page is to be believed ($1), the members of the list on either side of it, by number or spelling. They
-- have pages like it, if any has. $2: the walk saw the whole register; else the list is what earlier runs have seen.
with listed as (
  select external_id, kennitala from pg_temp.incoming where $2::boolean and is_member
  union all
  select external_id, kennitala from public.members
  where not $2::boolean and is_active and sync_source = 'django' and external_id is not null
    and last_verified_at is not null and unseen_since is null
),
-- How many of the list come before each.
ranked as materialized (
  select external_id, kennitala,
    count(kennitala) over (order by length(external_id), external_id collate "C") as rank
  from (
    select external_id, kennitala from listed
    -- Of a million only those near by: with numbers the same thousand, with UUIDs and the like the same beginning.
    where left(external_id, case when length(external_id) > 18 then 2 else -3 end) in (
        select left(id, case when length(id) > 18 then 2 else -3 end) from unnest($1::text[]) as id
      )
      and external_id <> all($1::text[])
    union all
    select id, null from unnest($1::text[]) as id
  ) all_of_them
)
select d.external_id as id, n.external_id, n.kennitala
from ranked d
cross join lateral unnest(array[d.rank, d.rank + 1, d.rank - 1, d.rank + 2]) with ordinality as near(rank, nearness)
join ranked n on n.rank = near.rank and n.kennitala is not null
where d.kennitala is null
order by d.external_id, near.nearness
