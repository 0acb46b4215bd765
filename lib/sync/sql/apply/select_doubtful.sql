-- Of the changes with the turns $1, which were refused: those that are additions, whether any change or addition
-- was made, whether the last run found one of them refused, and whether our role has the rights for a newcomer.
select
  coalesce(array_agg(p.turn) filter (where p.action = 'add'), '{}') as newcomers,
  exists (select from pg_temp.applicable) as any_done,
  exists (select from pg_temp.added) as any_added,
  exists (
    select from public.open_findings o
    where o.code = 'changes_refused' and o.external_id = any(array_agg(p.external_id))
  ) as any_known,
  has_table_privilege('public.members', 'insert') and has_table_privilege('public.member_changes', 'insert')
    and has_sequence_privilege(pg_get_serial_sequence('public.members', 'id'), 'usage')
    and has_sequence_privilege(pg_get_serial_sequence('public.member_changes', 'id'), 'usage') as may_insert
from pg_temp.plan p
where p.turn = any($1::int[])
