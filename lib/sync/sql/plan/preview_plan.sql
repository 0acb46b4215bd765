-- The changes of the plan in an order that does not depend on our ids, numbers as people count, from behind $2 of them on.
select action, external_id, kennitala, fields, held, name, evidence, reason, confirmed,
  public.member_state(old_kennitala, old_name, old_email, old_phone, old_external_id, old_is_active, old_removed_at) as before,
  public.member_state(kennitala, name, email, phone, external_id, is_active, removed_at) as after
from pg_temp.plan
where action <> 'suspended' and set_aside is null
order by array_position(array['remove', 'add', 'reactivate', 'update'], action),
  case when external_id ~ '^[0-9]{1,18}$' then external_id::bigint end, external_id, outcome, id
limit $1::int offset $2::bigint
