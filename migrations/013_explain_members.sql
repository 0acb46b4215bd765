-- The history of one member is looked up when somebody asks why they may not vote. Without this every look
-- reads the whole audit trail. It costs a first load of a million members 21 MB and 2 s of 12 s of the server's
-- CPU for the additions, and at 100,000 nothing that can be told from noise (0.04 s of 1.2 s).
create index if not exists idx_member_changes_member on public.member_changes (member_id);

-- Why a member was removed: what the plan went by, what the register said when it was asked, and its words
-- for one who is no member.
alter table public.member_changes
  add column if not exists evidence varchar(20),
  add column if not exists confirmed varchar(20),
  add column if not exists reason text;

-- Of a change that waits: of which member, and why it waits.
alter table public.held_changes
  add column if not exists external_id varchar(255),
  add column if not exists kennitala varchar(10),
  add column if not exists action varchar(20),
  add column if not exists reason varchar(40);
