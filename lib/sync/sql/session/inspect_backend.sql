-- Which session of the server this is, whether anybody may put functions and tables into schema public, and
-- whether the server is one of several.
select
  pg_backend_pid() as pid,
  exists (
    select from pg_namespace n
    cross join lateral aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
    where n.nspname = 'public' and a.grantee = 0 and a.privilege_type = 'CREATE'
  ) as schema_open,
  exists (select from pg_extension where extname = 'citus') as is_citus
