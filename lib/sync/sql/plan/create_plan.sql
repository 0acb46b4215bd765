create temp table plan (
  id int generated always as identity,
  -- add, update, reactivate, remove; 'suspended' is only counted.
  action text not null,
  -- null for an addition.
  member_id int,
  -- The row as the plan saw it, in the columns that matter to it. A row that differs at apply time was written by
  -- someone else. Other columns are other services' own business.
  old_kennitala text,
  old_name text,
  old_email text,
  old_phone text,
  old_external_id text,
  old_is_active boolean,
  old_removed_at timestamp,
  old_sync_source text,
  -- The row as it shall be.
  external_id text,
  kennitala text not null,
  name text,
  email text,
  phone text,
  is_active boolean,
  removed_at timestamp,
  fields text[] not null,
  suspended boolean not null default false,
  -- Why a member is to be removed: absent, not_a_member, superseded, renumbered, undo. Or inactive_here: the row of
  -- a newcomer is inactive, by another service or by hand.
  evidence text,
  -- What the record said of that, in words.
  reason text,
  -- Names the change and its result independently of our ids: what a digest and an undo compare.
  outcome bytea,
  -- The class of change, which has a limit of its own.
  class text not null generated always as (
    case
      when action = 'remove' then 'removals'
      when action = 'update' and 'kennitala' = any(fields) then 'kennitala_changes'
      when action = 'update' then 'updates'
      when action = 'suspended' then 'none'
      else 'additions'
    end
  ) stored,
  -- Why the change waits for an admin; null: it does not.
  held text,
  -- What released it from the limits: first_load, approval.
  released text,
  -- What the register said of a removal.
  confirmed text,
  -- Why the change is not made in this run though nobody has to approve it: its error code.
  set_aside text
)
