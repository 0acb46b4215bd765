-- What agrees already never leaves this join. $1: the time of the run.
insert into pg_temp.pair (
  ordinal, record_id, record_kennitala, record_name, has_email, record_email, has_phone, record_phone, is_member, not_member,
  row_id, row_external_id, row_kennitala, row_name, row_email, row_phone, row_is_active, row_removed_at,
  row_sync_source, row_is_linked, row_is_unseen, row_is_ahead
)
select
  i.ordinal, i.external_id, i.kennitala, i.name, i.has_email, i.email, i.has_phone, i.phone, i.is_member, i.not_member,
  m.id, m.external_id, m.kennitala, m.name, m.email, m.phone, m.is_active, m.removed_at,
  m.sync_source, m.last_verified_at is not null, m.unseen_since is not null,
  m.last_verified_at > $1::timestamptz at time zone 'UTC'
from pg_temp.incoming i
full join pg_temp.known_members m on m.kennitala = i.kennitala
where (
  i.is_member and m.is_active and m.removed_at is null
  and m.external_id = i.external_id
  and (i.name is null or m.name = i.name)
  and (not i.has_email or m.email is not distinct from i.email)
  and (not i.has_phone or m.phone is not distinct from i.phone)
  -- Of any other row it has to be written that this run saw it.
  and m.unseen_since is null and m.last_verified_at <= $1::timestamptz at time zone 'UTC'
) is not true
