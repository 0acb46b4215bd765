-- One record twice: a row slid over a page boundary during the walk, or the list is not distinct. The
-- one told last stays. A page holds fewer than a million rows, so ordinal / 1000000 is its number.
with repeated as (
  select external_id from incoming group by external_id having count(*) > 1
), ranked as (
  select i.ctid as place,
    row_number() over by_id as rank,
    first_value(i.ordinal) over by_id / 1000000 <> i.ordinal / 1000000 as across_pages
  from incoming i join repeated using (external_id)
  window by_id as (partition by i.external_id order by i.ordinal desc)
)
-- By an array, or every row would be read once more even when there is nothing to drop.
delete from incoming i using ranked r
where i.ctid = any (array(select place from ranked where rank > 1)) and i.ctid = r.place
returning i.external_id, i.kennitala, i.is_member, r.across_pages
