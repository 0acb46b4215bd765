-- Makes the changes whose turns are those of pg_temp.attempt, with their audit rows, which say what the database
-- stored in the end: all of them, or none and why. What is refused in here is in no log of the server, where it would
-- stand with the values of the row.
do $$
declare
  a pg_temp.attempt;
  planned int;
  done int;
begin
  select * into strict a from pg_temp.attempt;
  -- The part before has left them immediate.
  set constraints all deferred;

  -- A trigger for each statement runs where a statement finds no row as well, so each one runs only where it is needed.
  select count(*) into planned from pg_temp.applicable where member_id is not null and turn between a.first and a.last;
  if planned > 0 then
    if exists (select from pg_temp.applicable where placeholder is not null and turn between a.first and a.last) then
      update public.members m set kennitala = p.placeholder
      from (
        select * from pg_temp.plan
        where held is null and set_aside is null and placeholder is not null and turn between a.first and a.last
      ) p
      where m.id = p.member_id;
    end if;

    update public.members m
    set kennitala = p.kennitala, name = p.name, email = p.email, phone = p.phone,
      external_id = p.external_id, is_active = p.is_active, removed_at = p.removed_at,
      last_verified_at = case
        when p.action = 'remove' or not a.stamps then m.last_verified_at
        else a.run_at at time zone 'UTC'
      end,
      -- Who is active again after a removal without a run that has seen it is no member by our word.
      unseen_since = case
        when p.action = 'remove' and a.stamps then coalesce(m.unseen_since, a.run_at)
        when p.action = 'remove' or not a.stamps then m.unseen_since
      end
    -- What is applicable, read from the table itself: Citus may take a view for a table that it does not know.
    from (
      select * from pg_temp.plan
      where held is null and set_aside is null and action <> 'suspended' and member_id is not null
        and turn between a.first and a.last
    ) p
    -- A trigger may have written it since its row was taken. One that has stepped aside may have been rewritten then.
    where m.id = p.member_id
      and case
        when p.placeholder is not null then m.kennitala::text = p.placeholder
        else row(
            m.kennitala::text, m.name::text, m.email::text, m.phone::text,
            m.external_id::text, m.is_active, m.removed_at, m.sync_source::text
          )
          is not distinct from row(
            p.old_kennitala, p.old_name, p.old_email, p.old_phone, p.old_external_id,
            p.old_is_active, p.old_removed_at, p.old_sync_source
          )
      end;
    get diagnostics done = row_count;
    if done <> planned then
      raise exception using errcode = 'MS001';
    end if;

    -- Apart, since others may have triggers on this column.
    if exists (select from pg_temp.applicable where new_sync_source is not null and turn between a.first and a.last) then
      update public.members m set sync_source = nullif(p.new_sync_source, '')
      from (
        select * from pg_temp.plan
        where held is null and set_aside is null and new_sync_source is not null and turn between a.first and a.last
      ) p
      where m.id = p.member_id;
    end if;
  end if;

  insert into pg_temp.added (plan_id, member_id)
  select id, nextval((select pg_get_serial_sequence('public.members', 'id'))::regclass)
  from pg_temp.applicable
  where action = 'add' and turn between a.first and a.last;
  get diagnostics planned = row_count;
  if planned > 0 then
    insert into public.members
      (id, kennitala, name, email, phone, is_active, added_at, sync_source, external_id, last_verified_at,
        unseen_since)
    overriding system value
    select n.member_id, p.kennitala, p.name, p.email, p.phone, true, a.run_at at time zone 'UTC', 'django',
      p.external_id, a.run_at at time zone 'UTC', null
    from (select * from pg_temp.applicable where action = 'add' and turn between a.first and a.last) p
    join pg_temp.added n on n.plan_id = p.id
    -- Another service may have added it in this moment.
    on conflict (kennitala) do nothing;
    get diagnostics done = row_count;
    if done <> planned then
      raise exception using errcode = 'MS001';
    end if;
  end if;

  -- What would fail at the commit fails here, where it can be told from the rest.
  set constraints all immediate;

  -- What is stored now, after every trigger. It is read first, because Citus joins members with our own tables for no
  -- statement that takes numbers from a sequence, as the next one does.
  insert into pg_temp.written (
    plan_id, id, kennitala, name, email, phone, external_id, is_active, removed_at, sync_source
  )
  select p.id, m.id, m.kennitala, m.name, m.email, m.phone, m.external_id, m.is_active, m.removed_at, m.sync_source
  from (select * from pg_temp.applicable where turn between a.first and a.last) p
  left join pg_temp.added n on n.plan_id = p.id
  join public.members m on m.id = coalesce(p.member_id, n.member_id);

  -- A member without the right source, activity or kennitala is none. Types are exactly those of our functions, here and
  -- elsewhere: another's function with the same name could fit better.
  with compared as (
    select p.*, m.id as row_id,
      case when p.action <> 'add' then public.member_state(
        p.old_kennitala, p.old_name, p.old_email, p.old_phone, p.old_external_id, p.old_is_active, p.old_removed_at
      ) end as before,
      public.member_state(
        m.kennitala::text, m.name::text, m.email::text, m.phone::text, m.external_id::text, m.is_active, m.removed_at
      ) as after,
      row(m.name::text, m.email::text, m.phone::text, m.external_id::text)
        is distinct from row(p.name, p.email, p.phone, p.external_id) as is_rewritten,
      p.action = 'add' or row(
          m.kennitala::text, m.name::text, m.email::text, m.phone::text, m.external_id::text, m.is_active, m.removed_at
        )
        is distinct from row(
          p.old_kennitala, p.old_name, p.old_email, p.old_phone, p.old_external_id, p.old_is_active, p.old_removed_at
        ) as has_effect,
      row(m.kennitala::text, m.is_active, m.removed_at is null, m.sync_source::text) is not distinct from row(
        p.kennitala, p.is_active, p.removed_at is null, case
          when p.action = 'add' then 'django' when p.new_sync_source is null then p.old_sync_source
          else nullif(p.new_sync_source, '')
        end
      ) as is_done
    from (select * from pg_temp.applicable where turn between a.first and a.last) p
    join pg_temp.written m on m.plan_id = p.id
  ),
  rewritten as (
    insert into pg_temp.rewritten (plan_id, turn, member_id, has_effect)
    select id, turn, row_id, has_effect from compared where is_rewritten and is_done
  )
  insert into public.member_changes (run_id, member_id, action, fields, released, evidence, confirmed, reason, outcome, before, after)
  select a.run_id, row_id, action, fields, released, evidence, confirmed, reason,
    case when a.stamps then outcome end, before, after
  from compared
  where has_effect and is_done;
  get diagnostics done = row_count;
  select done + count(*) into done from pg_temp.rewritten where not has_effect and turn between a.first and a.last;
  select count(*) into planned from pg_temp.applicable where turn between a.first and a.last;
  if done <> planned then
    raise exception using errcode = 'MS001';
  end if;
-- Others' code may fail by what "others" leaves out as well: an assert of its own, or a cancellation that it raises.
exception when others or assert_failure or query_canceled then
  get stacked diagnostics
    a.state = returned_sqlstate, a.constraint_name = constraint_name, a.table_name = table_name,
    a.column_name = column_name, a.context = pg_exception_context, a.message = message_text;
  if a.state = '57014' and split_part(a.context, E'\n', 1) !~ 'RAISE' then
    raise;
  end if;
  -- A node of Citus says only in words what refused a row, and calls things by their parts there: members_102008.
  if a.context ~ 'while executing command on ' then
    a.constraint_name = substring(a.message from 'constraint "([^"]+)"');
    a.column_name = substring(a.message from 'column "([^"]+)"');
    a.table_name = 'members';
  end if;
  -- A trigger may name what it likes, a member as well: only what the catalog has is a name.
  update pg_temp.attempt set state = a.state, context = a.context, message = a.message,
    constraint_name = coalesce(
      (select pg_catalog.min(conname) from pg_constraint where conname in (a.constraint_name, pg_catalog.regexp_replace(a.constraint_name, '_\d{6,}$', ''))),
      (select pg_catalog.min(relname) from pg_class where relname in (a.constraint_name, pg_catalog.regexp_replace(a.constraint_name, '_\d{6,}$', '')))
    ),
    table_name = (select pg_catalog.min(relname) from pg_class where relname in (a.table_name, pg_catalog.regexp_replace(a.table_name, '_\d{6,}$', ''))),
    column_name = (select pg_catalog.min(attname) from pg_attribute where attname = a.column_name);
end
$$
