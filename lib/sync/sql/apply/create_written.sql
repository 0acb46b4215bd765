-- The rows that a try has written, as they are stored after every trigger.
create temp table written (
  plan_id int not null, id int not null, kennitala varchar(10), name varchar(255), email varchar(255), phone varchar(20),
  external_id varchar(255), is_active boolean, removed_at timestamp, sync_source varchar(50)
) on commit drop
