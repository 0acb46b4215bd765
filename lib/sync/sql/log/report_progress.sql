-- Triggers of others that follow find what they name; this statement itself is read before.
update public.sync_log set progress = $2::jsonb
from (
  select set_config('search_path', current_setting('membership_sync.writing_path', true), true) as path,
    set_config('row_security', 'on', true) as policies
) open
where id = $1::int and status = 'pending' and path is not null and policies is not null
