-- The changes of the plan whose rows are ours until the end of the transaction, and whether these still are as the
-- plan saw them.
create temp table locked_rows (plan_id int not null, is_same boolean not null) on commit drop
