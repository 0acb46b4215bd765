-- Of the rows of other services whose member has another kennitala by now: what they had before a run linked them, since
-- the last time that they had no Django id. What another service has written since stays. Without an audit trail of it,
-- nothing comes back.
with moved as materialized (
  select p.row_id
  from pg_temp.pair p
  join pg_temp.incoming i on i.external_id = p.row_external_id
  where p.row_sync_source is distinct from 'django' and p.row_is_linked and i.is_member and i.kennitala <> p.row_kennitala
),
trail as materialized (
  select c.member_id, c.id, c.before, c.after, 'external_id' = any(c.fields) as is_link,
    max(c.id) filter (where c.after ->> 'external_id' is null) over (partition by c.member_id) as unlinked_by
  from public.member_changes c
  -- Nothing of a long audit trail is read where nobody has moved.
  where (select count(*) from moved) > 0 and c.member_id in (select row_id from moved)
),
linked as (
  select distinct on (member_id) member_id, before
  from trail
  where is_link and before is not null and id > coalesce(unlinked_by, 0)
  order by member_id, id
),
latest as (
  select distinct on (member_id) member_id, after from trail order by member_id, id desc
)
update pg_temp.pair p set row_unlinked = jsonb_build_object(
  'name', case when p.row_name = w.after ->> 'name' then l.before ->> 'name' else p.row_name end,
  'email', case when p.row_email is not distinct from w.after ->> 'email' then l.before ->> 'email' else p.row_email end,
  'phone', case when p.row_phone is not distinct from w.after ->> 'phone' then l.before ->> 'phone' else p.row_phone end
)
from linked l join latest w using (member_id)
where p.row_id = l.member_id
