-- What an undo decides binds a person: by their row, and by their Django id together with kennitala or name, as a
-- digest of the name as people compare it. kind: remove, join, move, or null for a single field. Rows of before have
-- none of these, and bind who has the number or the id.
alter table public.undone_changes
  add column if not exists member_id int,
  add column if not exists name bytea,
  add column if not exists kind varchar(20);
