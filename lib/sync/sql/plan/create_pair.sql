-- A record of the register beside the row that holds its kennitala, where the two do not agree. Either side may be
-- missing: a newcomer has no row, a row that the register does not name has no record.
create temp table pair (
  ordinal bigint,
  record_id text,
  record_kennitala text,
  record_name text,
  has_email boolean,
  record_email text,
  has_phone boolean,
  record_phone text,
  is_member boolean,
  not_member text,
  row_id int,
  row_external_id text,
  row_kennitala text,
  row_name text,
  row_email text,
  row_phone text,
  row_is_active boolean,
  row_removed_at timestamp,
  row_sync_source text,
  -- An earlier run found this row in the register: its external_id is Django's.
  row_is_linked boolean,
  -- What the row says of when it was seen would be wrong once this run has seen it, or until it is marked as unseen.
  row_is_unseen boolean,
  row_is_ahead boolean,
  -- Name, e-mail and phone of another service's row as they would be if no run had ever linked it to a member: of rows
  -- whose member has another kennitala by now.
  row_unlinked jsonb
)
