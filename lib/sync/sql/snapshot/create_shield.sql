-- Members that a record names without our being able to trust the record: they are never removed by this run.
create temp table shield (external_id varchar(255), kennitala varchar(10))
