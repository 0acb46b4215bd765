-- What an approval must name. $1: what the plan is of, empty for the register. The digest is of the changes that
-- wait, or of those that an approval has released, or of all where there are none of either. Each outcome is the
-- digest of one change and its new values. The same changes have another digest after an approval of them was
-- applied: a digest is spent once.
with standing as (
  select case when count(held) > 0 then 'held' when count(released) filter (where released = 'approval') > 0 then 'released' else 'all' end as part
  from pg_temp.plan
),
changes as (
  select encode(sha256(convert_to($1::text, 'UTF8') || coalesce(string_agg(p.outcome, ''::bytea order by p.outcome), ''::bytea)), 'hex') as digest
  from pg_temp.plan p, standing s
  where s.part = 'all' or s.part = 'held' and p.held is not null or s.part = 'released' and p.released = 'approval'
)
select c.digest as changes,
  'sha256:' || case when spent.run_id is null then c.digest
    else encode(sha256(convert_to(c.digest || ':' || spent.run_id, 'UTF8')), 'hex') end as digest
from changes c
cross join lateral (select max(id) as run_id from public.sync_log where approved_changes = c.digest) spent
