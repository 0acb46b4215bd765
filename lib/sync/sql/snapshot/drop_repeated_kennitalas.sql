-- One kennitala in two records: a member wins over a former member, then the record that the row here
-- is linked to, then the one told first.
with repeated as (
  select kennitala from incoming where kennitala is not null group by kennitala having count(*) > 1
), ranked as (
  select i.ctid as place,
    row_number() over (
      partition by i.kennitala
      order by i.is_member desc, (m.external_id is not distinct from i.external_id) desc, i.ordinal
    ) as rank
  from incoming i
  join repeated using (kennitala)
  left join public.members m on m.kennitala = i.kennitala
)
-- By an array, or every row would be read once more even when there is nothing to drop.
delete from incoming i using ranked r
where i.ctid = any (array(select place from ranked where rank > 1)) and i.ctid = r.place
returning i.external_id, i.kennitala, i.is_member
