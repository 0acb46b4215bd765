-- Records that say "no member" of an id whose row here has another kennitala, which nobody else has: one of the
-- two must be wrong, so the removal is set aside. Only where a part of the register was asked for: a whole
-- register shows such a member as absent.
insert into pg_temp.plan (action, member_id, external_id, kennitala, fields, evidence, set_aside)
select 'remove', p.row_id, i.external_id, p.row_kennitala, array['is_active', 'removed_at'], 'renumbered', 'removal_unconfirmed'
from pg_temp.incoming i
join pg_temp.pair p on p.row_external_id = i.external_id
left join pg_temp.incoming j on j.kennitala = p.row_kennitala
where not i.is_member and p.row_kennitala <> i.kennitala and p.row_is_active and p.row_sync_source = 'django'
  and j.kennitala is null
order by i.ordinal
returning external_id
