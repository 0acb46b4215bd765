-- Nothing of ours was here yet: neither what is new, which is marked already, nor rows of others that are linked count
-- towards a limit.
update pg_temp.plan set released = 'first_load' where class <> 'removals' and released is null
