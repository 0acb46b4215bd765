-- A record without a name key leaves a stored name alone, but a new member has none to leave.
delete from plan where action = 'add' and name is null
returning external_id
