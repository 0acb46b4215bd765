-- Of each row in `pair`, whether the run saw it in the register; and what has to be written, because the run's own row
-- in sync_log does not say it. A row that changes says it by itself, but for one that is removed. A row of another
-- service is seen only under the Django id that it is linked to.
create temp table sighting on commit drop as
select s.row_id,
  s.seen and s.changes_to is null and (not s.row_is_linked or s.row_is_unseen or s.row_is_ahead) as to_stamp,
  not s.seen and s.row_is_linked and not s.row_is_unseen and coalesce(s.changes_to, 'remove') = 'remove' as to_mark,
  s.changes_to is not null as is_changed
from (
  select p.row_id, p.row_is_linked, p.row_is_unseen, p.row_is_ahead, a.action as changes_to,
    p.is_member is true and (p.row_sync_source = 'django' or p.row_external_id = p.record_id) is true as seen
  from pg_temp.pair p
  left join pg_temp.applicable a on a.member_id = p.row_id
  where p.row_id is not null
) s
