select exists (select from public.held_changes where plan = $1::text) as known
