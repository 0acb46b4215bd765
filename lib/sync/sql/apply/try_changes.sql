-- Makes the changes whose turns are those of pg_temp.attempt, with their audit rows, which say what the database
-- stored: all of them, or none and why. What is refused in here is in no log of the server, where it would stand
-- with the values of the row.
do $$
declare
  a pg_temp.attempt;
  planned int;
  made int;
begin
  select * into strict a from pg_temp.attempt;

  update public.members m set kennitala = p.placeholder
  from (select * from pg_temp.applicable where placeholder is not null and turn between a.first and a.last) p
  where m.id = p.member_id;

  with changed as (
    update public.members m
    set kennitala = p.kennitala, name = p.name, email = p.email, phone = p.phone,
      external_id = p.external_id, is_active = p.is_active, removed_at = p.removed_at,
      last_verified_at = case
        when p.action = 'remove' or not a.stamps then m.last_verified_at
        else a.run_at at time zone 'UTC'
      end,
      unseen_since = case when p.action = 'remove' or not a.stamps then m.unseen_since end
    from (select * from pg_temp.applicable where member_id is not null and turn between a.first and a.last) p
    -- A trigger may have written it since its row was taken.
    where m.id = p.member_id
      and row(m.kennitala, m.name, m.email, m.phone, m.external_id, m.is_active, m.removed_at, m.sync_source)
        is not distinct from row(
          coalesce(p.placeholder, p.old_kennitala), p.old_name, p.old_email, p.old_phone, p.old_external_id,
          p.old_is_active, p.old_removed_at, p.old_sync_source
        )
    returning p.id, m.kennitala, m.name, m.email, m.phone, m.external_id, m.is_active, m.removed_at
  ),
  compared as (
    select p.*,
      public.member_state(
        p.old_kennitala, p.old_name, p.old_email, p.old_phone, p.old_external_id, p.old_is_active, p.old_removed_at
      ) as before,
      public.member_state(c.kennitala, c.name, c.email, c.phone, c.external_id, c.is_active, c.removed_at) as after,
      row(c.kennitala, c.name, c.email, c.phone, c.external_id, c.is_active)
        is distinct from row(p.kennitala, p.name, p.email, p.phone, p.external_id, p.is_active) as is_rewritten,
      row(c.kennitala, c.name, c.email, c.phone, c.external_id, c.is_active, c.removed_at)
        is distinct from row(
          p.old_kennitala, p.old_name, p.old_email, p.old_phone, p.old_external_id, p.old_is_active, p.old_removed_at
        ) as has_effect,
      row(c.kennitala, c.is_active) is not distinct from row(p.kennitala, p.is_active) as is_done
    from changed c
    join pg_temp.plan p using (id)
  ),
  rewritten as (
    insert into pg_temp.rewritten (plan_id, turn, member_id, has_effect)
    select id, turn, member_id, has_effect from compared where is_rewritten and is_done
  )
  insert into public.member_changes (run_id, member_id, action, fields, released, evidence, confirmed, reason, outcome, before, after)
  select a.run_id, member_id, action, fields, released, evidence, confirmed, reason,
    case when a.stamps then outcome end, before, after
  from compared
  where has_effect and is_done;
  get diagnostics made = row_count;
  select made + count(*) into made from pg_temp.rewritten where not has_effect and turn between a.first and a.last;
  select count(*) into planned from pg_temp.applicable where member_id is not null and turn between a.first and a.last;
  if made <> planned then
    raise exception using errcode = 'MS001';
  end if;

  with fresh as materialized (
    select *, nextval(pg_get_serial_sequence('public.members', 'id'))::int as new_id
    from pg_temp.applicable
    where action = 'add' and turn between a.first and a.last
  ),
  added as (
    insert into public.members
      (id, kennitala, name, email, phone, is_active, added_at, sync_source, external_id, last_verified_at)
    overriding system value
    select new_id, kennitala, name, email, phone, true, a.run_at at time zone 'UTC', 'django', external_id,
      a.run_at at time zone 'UTC'
    from fresh
    -- Another service may have added it in this moment.
    on conflict (kennitala) do nothing
    returning id, kennitala, name, email, phone, external_id, is_active, removed_at
  ),
  compared as (
    select p.id as plan_id, p.turn, p.kennitala as asked, p.released, p.outcome, c.*,
      row(c.name, c.email, c.phone, c.external_id) is distinct from row(p.name, p.email, p.phone, p.external_id) as is_rewritten
    from added c
    join fresh p on p.new_id = c.id
  ),
  rewritten as (
    insert into pg_temp.rewritten (plan_id, turn, member_id, has_effect)
    select plan_id, turn, id, true from compared where is_rewritten
  )
  insert into public.member_changes (run_id, member_id, action, fields, released, outcome, before, after)
  select a.run_id, id, 'add', array['kennitala', 'name', 'email', 'phone', 'external_id', 'is_active'], released,
    case when a.stamps then outcome end, null,
    public.member_state(kennitala, name, email, phone, external_id, is_active, removed_at)
  from compared
  where kennitala = asked and is_active;
  get diagnostics made = row_count;
  select count(*) into planned from pg_temp.applicable where action = 'add' and turn between a.first and a.last;
  if made <> planned then
    raise exception using errcode = 'MS001';
  end if;

  -- What would fail at the commit fails here, where it can be told from the rest.
  set constraints all immediate;
exception when others then
  get stacked diagnostics
    a.state = returned_sqlstate, a.constraint_name = constraint_name, a.table_name = table_name,
    a.column_name = column_name, a.context = pg_exception_context, a.message = message_text;
  -- A trigger may name what it likes, a member as well: only what the catalog has is a name.
  update pg_temp.attempt set state = a.state, context = a.context, message = a.message,
    constraint_name = coalesce(
      (select min(conname) from pg_constraint where conname = a.constraint_name),
      (select min(relname) from pg_class where relname = a.constraint_name)
    ),
    table_name = (select min(relname) from pg_class where relname = a.table_name),
    column_name = (select min(attname) from pg_attribute where attname = a.column_name);
end
$$
