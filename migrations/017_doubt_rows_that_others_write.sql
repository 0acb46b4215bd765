-- A row that somebody else inserts was seen by no run, whatever it says of when: only a run that sees its member takes
-- this away.
alter table public.members alter column unseen_since set default now();
