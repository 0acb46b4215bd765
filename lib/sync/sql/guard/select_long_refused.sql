-- Of the members $1, those whose own pages say nothing of them, as the runs of a whole day have found. $2: the words of that.
select external_id from public.open_findings
where code = 'removals_unconfirmed' and external_id = any($1::text[]) and message = $2::text
  and since < now() - interval '24 hours'
