-- Records that have nothing but the kennitala of a row, while the row's own record may still be somebody's: it could
-- not be read, or may be one that did not even say its id, or a part of the register was asked for and it was not
-- among that. So it is with the row of somebody suspended, and for a member who would leave the own row; a newcomer goes on
-- in the row of a leaver. Neither the row nor the member of the record is touched. $1: the walk saw the whole register. $2:
-- an admin releases the members, and so decides about rows that are inactive.
with disputed as (
  select p.ordinal, p.record_id, p.record_kennitala
  from pg_temp.pair p
  where p.is_member
    and p.row_external_id <> p.record_id
    and (p.row_sync_source = 'django' or p.row_is_linked)
    and public.plain_name(p.record_name) is distinct from public.plain_name(p.row_name)
    and (
      exists (select from pg_temp.shield s where s.external_id = p.row_external_id)
      or not exists (select from pg_temp.incoming i where i.external_id = p.row_external_id)
        and (
          p.row_is_active
          or not $2::boolean and (
            p.row_removed_at is null
            or exists (select from pg_temp.pair k where k.row_external_id = p.record_id and k.row_is_active)
          )
        )
        and (not $1::boolean or exists (select from pg_temp.shield s where s.external_id is null))
    )
),
-- The row stays, as one that no record stands beside: this run has not seen its member.
parted as (
  update pg_temp.pair p
  set ordinal = null, record_id = null, record_kennitala = null, record_name = null, record_email = null,
    record_phone = null, is_member = null, not_member = null
  from disputed d
  where p.ordinal = d.ordinal
)
insert into pg_temp.shield (external_id, kennitala)
select record_id, record_kennitala from disputed
returning external_id
