-- Changes of the plan that the database stored otherwise than they were asked for.
create temp table rewritten (plan_id int not null, turn int not null, member_id int not null, has_effect boolean not null) on commit drop
