-- An undo leaves a member as it is when its old kennitala is another's by now.
delete from pg_temp.plan where held = 'blocked'
