-- Nobody approves a plan of two months ago. Triggers of others that follow find what they name; this statement itself is
-- read before.
delete from public.held_changes
using (
  select set_config('search_path', current_setting('membership_sync.writing_path', true), true) as path,
    set_config('row_security', 'on', true) as policies
) open
where held_at < now() - interval '60 days' and path is not null and policies is not null
