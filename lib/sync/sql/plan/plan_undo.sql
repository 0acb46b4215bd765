-- The inverse of the changes of run $1, for the members that still are as that run left them. $2: now. $3: only
-- the members with these Django ids; null: all.
insert into pg_temp.plan (
  action, member_id,
  old_kennitala, old_name, old_email, old_phone, old_external_id, old_is_active, old_removed_at, old_sync_source,
  external_id, kennitala, name, email, phone, is_active, removed_at, fields, evidence, new_sync_source, outcome
)
select
  case c.action when 'add' then 'remove' when 'reactivate' then 'remove' when 'remove' then 'reactivate' else 'update' end,
  p.row_id,
  p.row_kennitala, p.row_name, p.row_email, p.row_phone, p.row_external_id, p.row_is_active, p.row_removed_at,
  p.row_sync_source,
  w.external_id, w.kennitala, w.name, w.email, w.phone, w.is_active,
  case when c.action = 'add' then $2::timestamptz at time zone 'UTC' else w.removed_at end,
  case when c.action = 'add' then array['is_active', 'removed_at'] else c.fields end,
  'undo',
  -- A release made the row the register's.
  case when c.evidence = 'released' and p.row_sync_source = 'django' then c.reason end,
  public.change_digest(c.action::text, w.external_id, w.kennitala, w.name, w.email, w.phone)
from public.member_changes c
join pg_temp.pair p on p.row_id = c.member_id
cross join lateral (
  -- What was added had no row before: it stays, removed, because other tables may point to it.
  select * from jsonb_to_record(
    coalesce(c.before, c.after || '{"is_active": false}'::jsonb)
  ) as w(external_id text, kennitala text, name text, email text, phone text, is_active boolean, removed_at timestamp)
) w
where c.run_id = $1::int
  and ($3::text[] is null or c.after ->> 'external_id' = any($3) or c.before ->> 'external_id' = any($3))
  and c.after = public.member_state(
    p.row_kennitala, p.row_name, p.row_email, p.row_phone, p.row_external_id, p.row_is_active, p.row_removed_at
  )
