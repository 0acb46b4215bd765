-- Changes that need another one come after it. Those that need each other in a circle, as in a swap, have one turn.
update pg_temp.plan p set turn = t.turn
from (
  with recursive chain as (
    select p.id, 1 as depth
    from pg_temp.plan p join pg_temp.plan n on n.id = p.needs
    where n.needs is null
    union all
    select p.id, c.depth + 1
    from chain c join pg_temp.plan p on p.needs = c.id
  ),
  circle as (
    select id, needs from pg_temp.plan where needs is not null and id not in (select id from chain)
  ),
  round as (
    select id, needs as at, least(id, needs) as first from circle
    union all
    select r.id, c.needs, least(r.first, c.needs)
    from round r join circle c on c.id = r.at
    where r.at <> r.id
  )
  select id, (select max(turn) from pg_temp.plan) + dense_rank() over (order by depth, first)::int as turn
  from (
    select id, depth, id as first from chain
    union all
    select id, 0, min(first) from round group by id
  ) placed
) t
where p.id = t.id
