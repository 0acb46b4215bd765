select to_jsonb(l) as log from public.sync_log l where l.id = $1::int
