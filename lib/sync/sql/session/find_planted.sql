-- What strangers have put into schema public that PostgreSQL could take for something of its own or of ours.
with trusted as (
  -- Who may become the owner of members need plant nothing.
  select r.oid
  from pg_roles r
  left join pg_class c on c.oid = to_regclass('public.members')
  where r.rolsuper or r.rolname = current_user or pg_has_role(r.oid, c.relowner, 'MEMBER')
),
creator as (
  -- Who was given the right to create there has things of their own there; of these only what our statements call counts.
  select oid from pg_roles where has_schema_privilege(oid, to_regnamespace('public'), 'CREATE')
),
planted as (
  select p.oid::regprocedure::text as name
  from pg_proc p
  join pg_namespace n on n.oid = p.pronamespace
  where n.nspname = 'public' and p.proowner not in (select oid from trusted)
    and (
      p.proname in (
        'member_state', 'change_digest', 'plain_name', 'value_digest', 'field_digest',
        'array_agg', 'array_position', 'array_remove', 'bool_or', 'btrim', 'concat_ws', 'convert_to', 'count',
        'current_database', 'current_setting', 'date_trunc', 'dense_rank', 'encode', 'first_value', 'generate_series', 'has_sequence_privilege', 'has_table_privilege', 'jsonb_agg',
        'jsonb_build_object', 'jsonb_to_record', 'left', 'length', 'lower', 'make_interval', 'max', 'min', 'nextval',
        'normalize', 'now', 'power', 'pg_backend_pid', 'pg_current_xact_id', 'pg_get_serial_sequence', 'pg_get_userbyid',
        'pg_stat_get_activity', 'pg_xact_status', 'regexp_replace', 'replace', 'row_number',
        'set_config', 'sha256', 'split_part', 'starts_with', 'substr', 'string_agg', 'sum', 'to_char', 'to_hex', 'to_jsonb', 'translate', 'unnest'
      )
      or p.proowner not in (select oid from creator) and exists (
        select from pg_proc b where b.proname = p.proname and b.pronamespace = 'pg_catalog'::regnamespace
      )
    )
    and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
  union all
  select o.oid::regoperator::text
  from pg_operator o
  join pg_namespace n on n.oid = o.oprnamespace
  where n.nspname = 'public' and o.oprowner not in (select oid from trusted)
    and exists (
      select from pg_operator b where b.oprname = o.oprname and b.oprnamespace = 'pg_catalog'::regnamespace
    )
    and not exists (
      select from pg_depend d where d.classid = 'pg_operator'::regclass and d.objid = o.oid and d.deptype = 'e'
    )
)
select coalesce(array_agg(name order by name), '{}') as planted from planted
