-- One record twice: a row slid over a page boundary during the walk, or the list is not distinct. The
-- one that came last stays. A page holds fewer than a million rows, so ordinal / 1000000 is its number.
insert into pg_temp.repeated (ordinal, external_id, kennitala, is_member, across_pages, code)
select ordinal, external_id, kennitala, is_member, across_pages, 'duplicate_record'
from (
  select i.ordinal, i.external_id, i.kennitala, i.is_member,
    row_number() over by_id as rank,
    first_value(i.ordinal) over by_id / 1000000 <> i.ordinal / 1000000 as across_pages
  from pg_temp.incoming i
  join (select external_id from pg_temp.incoming group by external_id having count(*) > 1) r using (external_id)
  window by_id as (partition by i.external_id order by i.ordinal desc)
) ranked
where rank > 1
