-- The active members from Django, or $1 when there are more; null: all of them.
select count(*)::int as active
from (
  select from public.members where is_active and sync_source = 'django' limit $1::bigint
) m
