-- An admin approved this very plan: what waits is released, or all of it where nothing does.
update plan set held = null, released = 'approval'
where held is not null or not exists (select from plan where held is not null)
