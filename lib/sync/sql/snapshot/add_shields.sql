insert into shield (external_id, kennitala)
select * from unnest($1::text[], $2::text[])
