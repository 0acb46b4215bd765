-- A run could not begin because sync_log did not take it. It goes with the next one that reads the register.
insert into public.open_findings (code, external_id, error_code, message, run_id)
values ('run_missing', '', 'database_unavailable', 'sync_log took no run', 0)
on conflict (code, external_id) do nothing
