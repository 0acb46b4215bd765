-- Records that say "no member" of an id whose row here has another kennitala, which nobody else has: told
-- as unconfirmed, because one of the two must be wrong.
select i.external_id
from incoming i
join public.members m on m.external_id = i.external_id
where not i.is_member and m.kennitala <> i.kennitala and m.is_active and m.sync_source = 'django'
  and not exists (select from incoming j where j.kennitala = m.kennitala)
order by i.ordinal
