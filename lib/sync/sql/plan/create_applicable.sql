-- The part of the plan that this run applies.
create temp view applicable as
select * from pg_temp.plan where held is null and set_aside is null and action <> 'suspended'
