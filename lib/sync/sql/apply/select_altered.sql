-- Whether a stamp has changed what decides a vote, or taken a row away: a trigger of another service has. What others
-- have committed meanwhile is their own: the xmin of a row that this transaction wrote is in progress. Its 32 bits are
-- those of the number within 2^31 of ours. $1 and $2: the ids of the rows lie between these.
select
from pg_temp.unstamped u
left join public.members m on m.id = u.id
cross join (select pg_current_xact_id()::text::bigint + 2147483648 as latest) x
where u.id between $1::int and $2::int
  and case
    when m.id is null then true
    when row(m.kennitala::text, m.external_id::text, m.is_active, m.removed_at, m.sync_source::text)
      is not distinct from row(u.kennitala, u.external_id, u.is_active, u.removed_at, u.sync_source) then false
    else pg_xact_status((x.latest - ((x.latest - m.xmin::text::bigint) & 4294967295))::text::xid8) = 'in progress'
  end
limit 1
