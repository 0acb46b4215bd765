-- What PostgreSQL calls the keys of members, and the triggers that others have put there.
select
  array(
    select c.relname::text from pg_index i join pg_class c on c.oid = i.indexrelid
    where i.indrelid = 'public.members'::regclass and i.indisprimary
  ) as primary_keys,
  array(
    select c.relname::text
    from pg_index i
    join pg_class c on c.oid = i.indexrelid
    join pg_attribute k on k.attrelid = i.indrelid and k.attname = 'kennitala'
    where i.indrelid = 'public.members'::regclass and i.indisunique and i.indkey::text = k.attnum::text
  ) as kennitala_keys,
  array(
    select tgname::text from pg_trigger
    where tgrelid = 'public.members'::regclass and not tgisinternal and tgenabled <> 'D' order by tgname
  ) as triggers
