-- The rows, and the changes that wait, with a kennitala that begins with these six digits, $1.
select id as row, external_id, kennitala from public.members where left(kennitala, 6) = $1::text
union all
select null, external_id, kennitala from public.held_changes where left(kennitala, 6) = $1::text
