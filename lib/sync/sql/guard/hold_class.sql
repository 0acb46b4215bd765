update pg_temp.plan set held = $2::text where class = $1::text and set_aside is null
