-- What decides a vote, before a stamp is written. Where no code of others follows a write to members, nothing is kept.
create temp table if not exists unstamped on commit drop as
select m.id, m.kennitala::text as kennitala, m.is_active, m.removed_at, m.sync_source::text as sync_source
from public.members m
where exists (
  select from pg_class c
  where c.oid = 'public.members'::regclass
    and (
      c.relhasrules
      or exists (select from pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal and t.tgenabled <> 'D')
    )
)
