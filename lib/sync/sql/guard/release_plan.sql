-- An admin approved this very plan: nothing of it is held.
update plan set held = null where held is not null
