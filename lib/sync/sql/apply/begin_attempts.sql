-- $1: the run, $2: its time, $3: it has seen the members that it changes.
insert into pg_temp.attempt (run_id, run_at, stamps, first, last) values ($1::int, $2::timestamptz, $3::boolean, 0, 0)
