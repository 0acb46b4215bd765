-- Two members may swap their kennitölur, and the unique constraint looks at every row as it changes: a member that
-- gets another one steps aside first. The placeholder is no kennitala and fits ten characters. A row that has
-- another kennitala than the plan saw stays, and the update misses it.
update public.members m
set kennitala = '~' || to_hex(m.id)
from (select member_id, old_kennitala from pg_temp.applicable where 'kennitala' = any(fields) and member_id is not null) p
where m.id = p.member_id and m.kennitala = p.old_kennitala
