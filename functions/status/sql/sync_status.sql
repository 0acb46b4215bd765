-- Everything that syncStatus judges, in one round trip, with the database's clock. $1: the key of the sync
-- lock. A run reads the register when its mode is full or incremental; one that failed early has no mode.
with run as (
  select *,
    -- Calls for single members and undo have a mode from their first moment on.
    coalesce(mode, 'full') in ('full', 'incremental') as reads
  from public.sync_log
), last_reading as (
  select * from run
  where mode in ('full', 'incremental') and status in ('success', 'partial', 'held')
  order by id desc limit 1
), last_walk as (
  select * from run
  where mode = 'full' and status in ('success', 'partial', 'held')
  order by id desc limit 1
), complete as (
  select * from run
  where mode in ('full', 'incremental') and status in ('success', 'partial')
    and details -> 'set_aside' is null
    and coalesce(details -> 'snapshot' ->> 'complete', 'true') = 'true'
), last_success as (
  select * from complete order by id desc limit 1
), last_full as (
  select * from complete where mode = 'full' order by id desc limit 1
), holding as (
  -- What a full run holds is settled by a full run only: an incremental one sees nobody who is gone.
  select * from last_reading where status = 'held'
  union
  select * from last_walk where status = 'held'
  union
  -- What a call for single members holds is settled by the next full run as well, or by its own approval. A release is no
  -- matter of a full run: it waits until a later call with "release", true or false, has named each of its members.
  select h.* from run h
  where h.mode = 'selected' and h.status = 'held'
    and case when h.details ->> 'release' = 'true' then exists (
      select from pg_catalog.jsonb_array_elements_text(h.details -> 'external_ids') as asked(id)
      where not exists (
        select from run a
        where a.id > h.id and a.mode = 'selected' and a.status in ('success', 'partial', 'held')
          and a.details -> 'release' is not null and a.details -> 'external_ids' ? asked.id
      )
    ) else h.id > coalesce((select id from last_walk), 0) end
    and not exists (
      select from run a where a.id > h.id and a.status in ('success', 'partial', 'held') and a.details ->> 'approves' = h.plan
    )
), applied as materialized (
  -- What later runs have done, under the names that it waits under.
  select c.run_id, k.name
  from public.member_changes c
  cross join lateral (
    select case c.action
      when 'remove' then 'remove ' || (c.before ->> 'kennitala')
      when 'update' then 'update ' || (c.after ->> 'external_id')
      else 'join ' || (c.after ->> 'kennitala')
    end as name
    union all
    select 'move ' || (c.after ->> 'kennitala') where c.action = 'update' and 'kennitala' = any(c.fields)
  ) k
  where c.run_id > (select min(id) from holding where reads)
), left_over as materialized (
  -- What full and incremental runs hold together, without what was done since: by an approval of either, or by a call for
  -- single members.
  select h.id as run_id, w.class, w.reason, w.outcome, coalesce(k.name, encode(w.outcome, 'hex')) as name
  from holding h
  join public.held_changes w on w.plan = h.plan
  cross join lateral (
    select case w.class
      when 'removals' then 'remove ' || w.kennitala
      when 'additions' then 'join ' || w.kennitala
      when 'kennitala_changes' then 'move ' || w.kennitala
      else 'update ' || w.external_id
    end as name
  ) k
  where h.reads and not exists (select from applied a where a.name = k.name and a.run_id > h.id)
), waits as materialized (
  select distinct on (name) class, reason, outcome from left_over order by name, run_id desc
), waits_as as (
  -- As digest_plan.sql names it: an approval can name it although no run has held exactly this.
  select 'sha256:' || case when spent.run_id is null then d.changes
    else encode(sha256(convert_to(d.changes || ':' || spent.run_id, 'UTF8')), 'hex') end as plan
  from (
    select encode(sha256(coalesce(string_agg(outcome, ''::bytea order by outcome), ''::bytea)), 'hex') as changes from waits
  ) d
  cross join lateral (select max(id) as run_id from public.sync_log where approved_changes = d.changes) spent
), locked as (
  -- The name is all that everybody sees of a session; the rest only who may read all statistics. Not pg_stat_activity: Citus
  -- takes the views of a query on members apart, and asks who calls for the right to read pg_authid.
  select pg_get_userbyid(a.usesysid) as role, a.backend_start as since, -- A run has its row as soon as it has the lock; a name anybody can take.
    a.application_name is not distinct from 'membership-sync' and (
      exists (select from run where status = 'pending')
      or coalesce((select max(finished_at) from run), '-infinity') > now() - interval '10 seconds'
    ) as ours
  from pg_locks l
  left join lateral pg_stat_get_activity(coalesce(l.pid, 0)) a on true
  where l.locktype = 'advisory' and l.granted
    and l.database = (select oid from pg_database where datname = current_database())
    and (l.classid::bigint << 32 | l.objid::bigint) = $1::bigint
), marked as materialized (
  select id from public.member_sightings where is_active and unseen_since is not null and sync_source = 'django'
), back_by_hand as (
  -- A run removed the member, and somebody else made the row active again.
  select k.id from marked k
  where (select c.action from public.member_changes c where c.member_id = k.id order by c.id desc limit 1) = 'remove'
), by_hand as (
  -- Whoever suspended these has filled removed_at as well, as only runs should: a run found that no run removed them.
  select count(*)::int as members from public.open_findings where code = 'suspended' and error_code = 'removed_by_hand'
), member as (
  select
    count(*) filter (where is_active)::int as active,
    count(*) filter (where is_active is not true and removed_at is null)::int as suspended,
    count(*) filter (where is_active is not true and removed_at is not null)::int as left,
    count(*) filter (where unseen)::int as unseen,
    min(seen_at) filter (where unseen) as unseen_since
  from (
    select m.is_active, m.removed_at, m.seen_at,
      m.is_active and (
        m.seen_at is null or m.seen_at < f.sync_timestamp at time zone 'UTC' or m.id in (select id from back_by_hand)
      ) as unseen
    from public.member_sightings m
    left join last_full f on true
    where m.sync_source = 'django'
  ) m
), dead as (
  -- What came after it has told the receiver to read the view.
  select d.* from public.notification_outbox d
  where d.status = 'dead' and not d.receiver_gone
    and not exists (
      select from public.notification_outbox n
      where n.receiver = d.receiver and n.id > d.id and n.status = 'delivered'
    )
)
select
  now() as now,
  exists (select from locked where ours) as lock_held,
  (select jsonb_build_object('role', role, 'since', since) from locked where not ours limit 1) as lock_taken,
  (select to_jsonb(r) from (
    select id, sync_timestamp at time zone 'UTC' as started_at, progress, reads from run
    where status = 'pending' order by id desc limit 1
  ) r) as pending,
  (select to_jsonb(l) from public.sync_log l where status <> 'pending' order by id desc limit 1) as last_run,
  (select to_jsonb(g) - 'reads' from last_success g) as last_success,
  (select to_jsonb(g) - 'reads' from last_full g) as last_full,
  (select coalesce(jsonb_agg(to_jsonb(h) - 'reads' order by h.reads desc, h.id desc), '[]') from holding h) as holding,
  -- Not known where a run is older than what is written down of held plans.
  case when not exists (
    select from holding h
    where h.reads and h.plan is not null and not exists (select from public.held_changes w where w.plan = h.plan)
  ) then jsonb_build_object(
    'plan', (select plan from waits_as),
    'runs', (select coalesce(jsonb_agg(distinct run_id), '[]') from left_over),
    'classes', (select coalesce(jsonb_agg(c), '[]') from (
      select class, count(*)::int as count, count(*) filter (where reason = 'undone')::int as undone from waits group by class
    ) c)
  ) end as waiting,
  coalesce((select min(sync_timestamp) at time zone 'UTC' from run
    where mode in ('full', 'incremental') and status = 'held' and exists (select from holding where reads)
      and id > coalesce((
        select max(id) from run
        where mode in ('full', 'incremental') and status in ('success', 'partial')
          and id < (select min(id) from holding where reads)
      ), 0)), (select min(sync_timestamp) at time zone 'UTC' from holding)) as held_since,
  (select count(*)::int from run
    where status = 'failed' and reads and id > coalesce((select id from last_reading), 0)
  ) as consecutive_failures,
  (select sync_timestamp at time zone 'UTC' from run where reads order by id desc limit 1) as last_started_at,
  m.active, m.suspended + h.members as suspended, m.left - h.members as left, m.unseen, m.unseen_since,
  -- Three counts, each from the index on sync_source alone.
  (select count(*) from public.member_sightings where sync_source < 'django')::int
    + (select count(*) from public.member_sightings where sync_source > 'django')::int
    + (select count(*) from public.member_sightings where sync_source is null)::int as other_sources,
  (select jsonb_build_object('count', count(distinct (run_id, coalesce(member_id::text, kennitala))), 'since', min(undone_at), 'run_id', max(run_id))
    from public.undone_changes) as undone,
  (select coalesce(jsonb_agg(f), '[]') from (
    select code, sum(records)::int as count, min(since) as since, max(run_id) as run_id
    from public.open_findings where code <> 'suspended' group by code
  ) f) as findings,
  (select jsonb_build_object('count', count(*), 'since', min(created_at), 'run_id', max(run_id)) from dead) as undelivered,
  (select count(*) filter (where status = 'pending' and not receiver_gone)::int from public.notification_outbox) as notifications_pending,
  (select count(*) filter (where status = 'dead')::int from public.notification_outbox) as notifications_dead
from member m cross join by_hand h
