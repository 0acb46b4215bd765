-- Everything that says why somebody may vote or not: the row with Django id $1 or our own id $2, what the runs
-- found of them or hold back, and the last change. One row always; without a member its columns are null. Our own
-- row goes before that of another service, and an active one before one that has left. $3: the changes that may wait for
-- who has no row, by their digests: another person may have that Django id, or this one another kennitala. So may the newcomer
-- whose addition waits under the id of somebody who has left.
with finished as (
  select id, mode, status, plan from public.sync_log
  where mode in ('full', 'incremental') and status in ('success', 'partial', 'held')
), waiting as (
  select h.outcome, h.class, h.external_id, h.kennitala, h.action, h.reason
  from public.held_changes h
  where h.plan in (
    (select case when status = 'held' then plan end from finished order by id desc limit 1),
    (select case when status = 'held' then plan end from finished where mode = 'full' order by id desc limit 1),
    (select case when status = 'held' then plan end from public.sync_log where mode = 'selected' order by id desc limit 1)
  )
), named as (
  select * from public.members
  where $3::bytea[] is null and (external_id = $1::text or id = $2::int)
  order by sync_source is not distinct from 'django' desc, is_active desc nulls last, id
  limit 1
), member as (
  select n.* from named n
  where n.id = $2::int or n.is_active or not exists (
    select from waiting w where w.external_id = $1::text and w.action = 'add' and w.kennitala <> n.kennitala::text
  )
), held as (
  select w.external_id, w.kennitala, w.action, w.reason
  from waiting w
  left join member m on true
  where case
    when $3::bytea[] is not null then w.outcome = any($3)
    when m.id is null then w.external_id = $1::text
    else w.kennitala = m.kennitala::text or w.class = 'kennitala_changes' and w.external_id = m.external_id::text
  end
  -- What another run has done since waits no more.
  and case when w.action in ('add', 'reactivate') then m.is_active is not true when w.action = 'remove' then m.is_active is not false else true end
  -- The same person's addition goes before the removal of who had the id.
  order by w.action
  limit 1
), last_change as (
  select c.run_id, c.action, c.evidence, c.confirmed, c.reason
  from public.member_changes c
  where c.member_id = (select id from member)
  order by c.id desc
  limit 1
), known as (
  select coalesce((select external_id from member), (select external_id from held), $1::text) as external_id
)
select
  m.id, k.external_id, coalesce(m.kennitala, (select kennitala from held)) as kennitala, m.name, m.is_active,
  m.sync_source, m.added_at at time zone 'UTC' as added_at, m.removed_at at time zone 'UTC' as removed_at,
  (select s.seen_at from public.member_sightings s where s.id = m.id) as seen_at,
  (
    select max(c.changed_at) from public.member_changes c
    where c.member_id = m.id and c.action in ('add', 'reactivate')
  ) as active_since,
  (select to_jsonb(l) from last_change l) as last_change,
  (select to_jsonb(h) from (select action, reason from held) h) as held,
  (select to_jsonb(u) from (
    select undone_at, run_id from public.undone_changes where run_id = (select run_id from last_change) limit 1
  ) u) as undone,
  coalesce((
    select jsonb_agg(jsonb_build_object('code', f.code, 'error_code', f.error_code, 'message', f.message, 'since', f.since, 'run_id', f.run_id) order by f.since)
    from public.open_findings f
    where f.external_id = k.external_id and f.external_id <> ''
  ), '[]') as findings
from known k
left join member m on true
