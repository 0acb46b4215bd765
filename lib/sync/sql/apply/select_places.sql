-- The turns of what the run applies, and how much of it changes a row that is there.
select min(turn) as first, max(turn) as last, count(member_id)::int as rows from pg_temp.applicable
