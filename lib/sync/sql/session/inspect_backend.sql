-- Which session of the server this is, whether anybody may put functions and tables into schema public, whether anybody
-- has put functions or operators there who may not become the owner of members, and whether the server is one of several.
select
  pg_backend_pid() as pid,
  (extract(epoch from current_setting('deadlock_timeout')::interval) * 1000)::int as deadlock_timeout_ms,
  exists (
    select from pg_namespace n
    cross join lateral aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
    where n.nspname = 'public' and a.grantee = 0 and a.privilege_type = 'CREATE'
  ) as schema_open,
  exists (
    select from (
      select proowner as owner from pg_proc where pronamespace = to_regnamespace('public')
      union
      select oprowner from pg_operator where oprnamespace = to_regnamespace('public')
    ) there
    where owner <> (select oid from pg_roles where rolname = current_user) and not coalesce(
      pg_has_role(owner, (select relowner from pg_class where oid = to_regclass('public.members')), 'MEMBER'), false
    )
  ) as has_strangers,
  exists (select from pg_extension where extname = 'citus') as is_citus
