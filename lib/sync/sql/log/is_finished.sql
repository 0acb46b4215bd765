-- Whether the row of a run says what it was given, whatever triggers of other services have made of it. The parameters are
-- those of finish_run.sql.
select
from public.sync_log l,
  jsonb_to_record($2::jsonb) as r(
    status text, mode text, plan text, members_added int, members_updated int, members_kennitala_changed int,
    members_reactivated int, members_removed int
  )
where l.id = $1::int and l.finished_at is not null and l.details @> $5::jsonb
  and row(
    l.status::text, l.mode::text, l.plan::text, l.members_added, l.members_updated, l.members_kennitala_changed,
    l.members_reactivated, l.members_removed, l.register_mark, l.counts_towards_limits, l.approved_changes::text,
    l.register_seen_at, l.members_stamped
  )
  is not distinct from row(
    r.status, r.mode, r.plan, r.members_added, r.members_updated, r.members_kennitala_changed,
    r.members_reactivated, r.members_removed,
    case when $3::timestamptz > now() then now() else $3::timestamptz end, $4::boolean, $6::text, $7::timestamptz,
    $8::boolean
  )
