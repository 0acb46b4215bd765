-- The ids that added members get.
create temp table added (plan_id int not null, member_id int not null) on commit drop
