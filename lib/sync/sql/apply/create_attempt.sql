-- One row: what is tried now, and what the database said when it refused it.
create temp table attempt (
  run_id int not null,
  run_at timestamptz not null,
  -- An undo has seen no member.
  stamps boolean not null,
  -- The turns of the plan, or the ids of the rows to stamp, that are tried.
  first int not null,
  last int not null,
  -- null: it was not refused.
  state text,
  constraint_name text,
  table_name text,
  column_name text,
  context text,
  message text
) on commit drop
