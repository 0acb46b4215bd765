-- Whether no member from Django is active here.
select not exists (select from public.members where is_active and sync_source = 'django') as is_empty
