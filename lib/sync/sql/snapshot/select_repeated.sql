select external_id, code, is_member, across_pages from repeated where code <> 'history' order by ordinal
