-- An admin approved this very plan: what waits is released, or all of it where nothing does. $1: the classes
-- that were approved; null: all.
update pg_temp.plan set held = null, released = 'approval'
where (held is not null or not exists (select from pg_temp.plan where held is not null))
  and ($1::text[] is null or class = any($1))
