-- Records that say "no member" of an id whose row here has another kennitala, which nobody else has: one of the
-- two must be wrong, so the removal is set aside. Only where a part of the register was asked for: a whole
-- register shows such a member as absent.
insert into pg_temp.plan (action, member_id, external_id, kennitala, fields, evidence, set_aside)
select 'remove', m.id, i.external_id, m.kennitala, array['is_active', 'removed_at'], 'renumbered', 'removal_unconfirmed'
from pg_temp.incoming i
join public.members m on m.external_id = i.external_id
left join pg_temp.incoming j on j.kennitala = m.kennitala
where not i.is_member and m.kennitala <> i.kennitala and m.is_active and m.sync_source = 'django'
  and j.kennitala is null
order by i.ordinal
returning external_id
