-- Ends the session of a run that was told to stop, if that is what $1 still is.
select pg_terminate_backend(pid)
from pg_stat_activity
where pid = $1::int and usename = current_user and application_name = 'membership-sync'
