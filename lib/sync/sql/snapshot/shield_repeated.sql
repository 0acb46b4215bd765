-- What was left out might have meant another member: that one is not removed.
insert into pg_temp.shield (external_id, kennitala)
select external_id, kennitala from pg_temp.repeated where code <> 'history'
