-- Nobody approves a plan of two months ago.
delete from public.held_changes where held_at < now() - interval '60 days'
