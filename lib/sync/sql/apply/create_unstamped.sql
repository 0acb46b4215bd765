-- What decides a vote, before a stamp is written. Where nobody's code follows a write to members, nothing is kept.
create temp table if not exists unstamped on commit drop as
select m.id, m.kennitala::text as kennitala, m.is_active, m.removed_at, m.sync_source::text as sync_source
from public.members m
where (select relhastriggers or relhasrules from pg_class where oid = 'public.members'::regclass)
