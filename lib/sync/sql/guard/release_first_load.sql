-- Nothing of ours was here yet: neither what is new nor rows of others that are linked count towards a limit.
update pg_temp.plan set released = 'first_load' where class <> 'removals'
