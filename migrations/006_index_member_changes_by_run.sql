-- One index instead of three. Runs write one after the other, so rows in the order of (run_id, id) are also
-- in the order of their time: the changes of a run, the oldest rows, and those of the last hours (through
-- sync_log) are all found by it. Block ranges cost an insert as much as this index, and until a vacuum
-- has summarised them they leave every new page to be read.
drop index if exists public.idx_member_changes_run;
drop index if exists public.idx_member_changes_time;
alter table public.member_changes
  drop constraint if exists member_changes_pkey,
  add primary key (run_id, id);
