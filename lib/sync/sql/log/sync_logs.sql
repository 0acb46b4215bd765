select to_jsonb(l) as log
from public.sync_log l
where ($1::int is null or l.id < $1::int)
  and ($2::text is null or l.status = $2::text)
  and ($3::text is null or l.sync_type = $3::text)
order by l.id desc
limit $4::int
