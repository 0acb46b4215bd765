create temp table plan (
  -- add, update, reactivate, remove; 'suspended' is only counted.
  action text not null,
  -- null for an addition.
  member_id int,
  -- The row as the plan saw it, in the columns that matter to it: another one at apply time means that
  -- someone else wrote. Other columns are other services' own business.
  member_version text,
  -- The same row for the audit trail.
  before jsonb,
  -- The row as it shall be.
  external_id text,
  kennitala text not null,
  name text,
  email text,
  phone text,
  is_active boolean,
  removed_at timestamp,
  fields text[] not null,
  suspended boolean not null,
  -- Why a member is to be removed: absent, not_a_member, superseded, undo.
  evidence text,
  -- Names the change and its result independently of our ids: what a digest and an undo compare.
  outcome bytea,
  -- Why the change is not applied in this run; null: it is.
  held text
)
