-- One kennitala in two records: a member wins over a former member, then the record that the row here
-- is linked to, then the one that came first. A former member's record beside the member's own is history, not an error.
insert into pg_temp.repeated (ordinal, external_id, kennitala, is_member, across_pages, code)
select ordinal, external_id, kennitala, is_member, false,
  case when is_member then 'duplicate_kennitala' else 'history' end
from (
  select i.ordinal, i.external_id, i.kennitala, i.is_member,
    row_number() over (
      partition by i.kennitala
      order by i.is_member desc, (m.external_id is not distinct from i.external_id) desc, i.ordinal
    ) as rank
  from pg_temp.incoming i
  join (
    select kennitala from pg_temp.incoming where kennitala is not null group by kennitala having count(*) > 1
  ) r using (kennitala)
  left join public.members m on m.kennitala = i.kennitala
) ranked
where rank > 1
