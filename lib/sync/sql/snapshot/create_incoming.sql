create temp table incoming (
  -- Page and row in the walk: the order in which the register told it.
  ordinal bigint not null,
  external_id text not null,
  -- null: the register answered that there is no such member.
  kennitala text,
  -- null: the record has no name key, the stored name stays.
  name text,
  has_email boolean not null,
  email text,
  has_phone boolean not null,
  phone text,
  is_member boolean not null,
  -- Why not, in words.
  not_member text
)
