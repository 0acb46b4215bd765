insert into public.members (kennitala, name, sync_source) values ($1, $2, 'events');
