-- The final state of a run that did its work. $2: the result, $3: the mark of a complete run or null, by Django's
-- clock, which may be ahead: a mark in the future would pass over changes.
update public.sync_log l
set status = r.status, mode = r.mode, finished_at = now(), progress = null,
  duration_ms = r.duration_ms, plan = r.plan, register_mark = case when $3::timestamptz > now() then now() else $3::timestamptz end,
  members_fetched = r.members_fetched, members_added = r.members_added, members_updated = r.members_updated,
  members_reactivated = r.members_reactivated, members_removed = r.members_removed,
  members_kennitala_changed = r.members_kennitala_changed, approved_changes = $6::text,
  members_verified = r.members_verified, members_suspended = r.members_suspended, error_count = r.error_count,
  counts_towards_limits = $4::boolean, register_seen_at = $7::timestamptz, members_stamped = $8::boolean,
  details = coalesce(l.details, '{}'::jsonb) || $5::jsonb
from jsonb_to_record($2::jsonb) as r(
  status text, mode text, duration_ms int, plan text, members_fetched int, members_added int, members_updated int,
  members_kennitala_changed int, members_reactivated int, members_removed int, members_verified int, members_suspended int, error_count int
)
where l.id = $1::int and l.status::text = 'pending'
returning (select relhastriggers or relhasrules from pg_class where oid = 'public.sync_log'::regclass) as may_be_rewritten
