-- Members from both ends of the list, who must be found on their own pages.
(select external_id, kennitala from pg_temp.incoming where is_member order by ordinal limit 3)
union
(select external_id, kennitala from pg_temp.incoming where is_member order by ordinal desc limit 3)
