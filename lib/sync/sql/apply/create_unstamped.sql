-- What decides a vote, before a stamp is written. Where no code of others follows a write to members, nothing is kept.
create temp table unstamped on commit drop as
select m.id, m.kennitala::text as kennitala, m.external_id::text as external_id, m.is_active, m.removed_at,
  m.sync_source::text as sync_source
from public.members m
where exists (
  select from pg_class c
  where c.oid = 'public.members'::regclass
    and (
      c.relhasrules
      or exists (
        select from pg_trigger t
        where not t.tgisinternal and t.tgenabled <> 'D'
          and (t.tgrelid = c.oid or t.tgrelid in (select i.inhrelid from pg_inherits i where i.inhparent = c.oid))
      )
    )
)
