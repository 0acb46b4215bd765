-- Kennitölur that the plan gives to a member while another row has them.
create temp table occupied (kennitala varchar(10) not null, row_id int not null)
