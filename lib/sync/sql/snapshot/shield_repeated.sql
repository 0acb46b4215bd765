-- What was left out might have meant another member: that one is not removed.
insert into shield (external_id, kennitala)
select external_id, kennitala from repeated where code <> 'history'
