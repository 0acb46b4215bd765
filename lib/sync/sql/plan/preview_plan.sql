-- The changes of the plan in an order that does not depend on our ids, from behind ($2, $3, $4) on.
select rank, action, external_id, kennitala, fields, held, name, evidence, reason, confirmed, encode(coalesce(outcome, ''::bytea), 'hex') as outcome,
  public.member_state(old_kennitala, old_name, old_email, old_phone, old_external_id, old_is_active, old_removed_at) as before,
  public.member_state(kennitala, name, email, phone, external_id, is_active, removed_at) as after
from (
  select *, array_position(array['remove', 'add', 'reactivate', 'update'], action) as rank
  from pg_temp.plan
  where action <> 'suspended' and set_aside is null
) p
where $2::int is null or (rank, coalesce(external_id, ''), encode(coalesce(outcome, ''::bytea), 'hex')) > ($2::int, $3::text, $4::text)
order by rank, coalesce(external_id, ''), 10
limit $1::int
