-- The roles that read and write the members, each with the least that it was measured to need, and nobody else.
-- Run it as the owner of the database and of our tables, after each release that adds a table: it may be run
-- again at any time. Then give each role its password, as with: \password membership_sync

-- membership_sync makes the runs (DATABASE_URL); membership_sync_reader answers syncStatus and syncLogs;
-- elections_reader sees who may vote, and nothing else. One such role for each service that reads.
do $$
declare
  name text;
begin
  foreach name in array array['membership_sync', 'membership_sync_reader', 'elections_reader'] loop
    if not exists (select from pg_roles where rolname = name) then
      execute format('create role %I login', name);
    end if;
  end loop;
  -- A run stages the register in temporary tables.
  execute format('grant temporary on database %I to membership_sync', current_database());
end
$$;

-- Whoever may create a function in schema public can have others run it. PostgreSQL 14 and databases that were
-- upgraded from it let everybody; a service that makes tables there keeps a grant of its own.
revoke create on schema public from public;
grant usage on schema public to membership_sync, membership_sync_reader, elections_reader;

revoke all on public.members, public.sync_log, public.member_changes, public.undone_changes, public.held_changes,
  public.open_findings, public.rewritten_values, public.notification_outbox, public.member_sightings,
  public.member_eligibility
  from membership_sync, membership_sync_reader, elections_reader;

-- A run never deletes a member nor a row of its log, and never changes what the audit trail says.
grant select, insert, update on public.members, public.sync_log to membership_sync;
grant select, insert, delete on public.member_changes, public.undone_changes, public.held_changes to membership_sync;
grant select, insert, update on public.rewritten_values to membership_sync;
grant select, insert, update, delete on public.open_findings, public.notification_outbox to membership_sync;
-- On an engineer's machine one role is all: there it answers syncStatus, syncLogs and the admin's page as well.
grant select on public.member_sightings to membership_sync;
grant usage on sequence public.members_id_seq, public.sync_log_id_seq, public.member_changes_id_seq,
  public.notification_outbox_id_seq to membership_sync;

grant select on public.members, public.sync_log, public.member_changes, public.undone_changes, public.held_changes,
  public.open_findings, public.rewritten_values, public.notification_outbox, public.member_sightings
  to membership_sync_reader;

grant select on public.member_eligibility to elections_reader;
