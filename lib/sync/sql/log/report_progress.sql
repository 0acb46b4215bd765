update public.sync_log set progress = $2::jsonb where id = $1::int and status = 'pending'
