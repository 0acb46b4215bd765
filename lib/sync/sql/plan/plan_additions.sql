-- A member of the register is new when no row has the kennitala, or when that row moves to another record. A
-- record without a name key leaves a stored name alone, but a new member has none to leave. A first load is released as
-- it is planned: to mark its rows afterwards takes as long as all the rest of the plan. $1: it may be one.
insert into pg_temp.plan (
  action, external_id, kennitala, name, email, phone, is_active, fields, set_aside, outcome, released
)
select
  'add', p.record_id, p.record_kennitala, p.record_name, p.record_email, p.record_phone, true,
  array['kennitala', 'name', 'email', 'phone', 'external_id', 'is_active'],
  case when p.record_name is null then 'invalid_name' end,
  case when p.record_name is not null then
    public.change_digest('join'::text, p.record_id, p.record_kennitala, p.record_name, p.record_email, p.record_phone)
  end,
  case when $1::boolean then 'first_load' end
from pg_temp.pair p
where p.is_member
  and (p.row_id is null or p.row_id in (select row_id from pg_temp.move))
  and p.ordinal not in (select ordinal from pg_temp.move)
