update plan set held = $2::text where action = any($1::text[])
