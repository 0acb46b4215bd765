select external_id, code, is_member, across_pages from pg_temp.repeated where code <> 'history' order by ordinal
