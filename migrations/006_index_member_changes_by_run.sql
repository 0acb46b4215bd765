-- One index instead of three. Runs write one after the other, so rows in the order of (run_id, id) are also
-- in the order of their time: the changes of a run, the oldest rows, and those of the last hours (through
-- sync_log) are all found by it. Block ranges cost an insert as much as this index, and until a vacuum
-- has summarised them they leave every new page to be read.
drop index if exists public.idx_member_changes_run;
drop index if exists public.idx_member_changes_time;
-- Builds the key under a lock on this table alone, which only runs and their logs wait for: 0.3 s a million
-- rows.
do $$
begin
  if (
    select pg_get_constraintdef(oid) from pg_constraint
    where conrelid = 'public.member_changes'::regclass and contype = 'p'
  ) is distinct from 'PRIMARY KEY (run_id, id)' then
    alter table public.member_changes
      drop constraint if exists member_changes_pkey,
      add primary key (run_id, id);
  end if;
end
$$;
