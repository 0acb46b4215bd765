-- What an admin took back before says so still, among however many others.
update pg_temp.plan set held = case when held = 'undone' then held else $2::text end
where class = $1::text and set_aside is null
