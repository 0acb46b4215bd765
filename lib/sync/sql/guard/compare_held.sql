-- What is different, class by class, between the changes that wait now and those of the plan with digest $1, as
-- the run that held it wrote them down. No row: no run held such a plan, or nothing is different.
select coalesce(n.class, h.class) as class,
  count(*) filter (where h.outcome is null)::int as new,
  count(*) filter (where n.outcome is null)::int as gone
from (select outcome, class from pg_temp.plan where held is not null) n
full join (select outcome, class from public.held_changes where plan = $1::text) h using (outcome)
where n.outcome is null or h.outcome is null
group by 1
