-- What waits for a person, member by member, as the runs that read the register found it. A row goes when a
-- run sees that it is settled. It names a member by Django id, and holds no personal data.
create table if not exists public.open_findings (
  -- What syncStatus calls it: records_set_aside, removals_unconfirmed or inactive_here.
  code varchar(40) not null,
  -- Empty: records that name nobody.
  external_id varchar(255) not null,
  records int not null default 1,
  -- The code and the words of the run's error.
  error_code varchar(40) not null,
  message text not null,
  since timestamptz not null default now(),
  -- The last run that found it.
  run_id int not null,
  primary key (code, external_id)
);

-- Set by a run for what waits for a receiver that is no longer configured: nobody waits for that.
alter table public.notification_outbox
  add column if not exists receiver_gone boolean not null default false;
