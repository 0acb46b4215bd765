delete from plan where action = 'remove' and member_id = any($1::int[])
