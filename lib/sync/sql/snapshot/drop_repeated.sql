delete from pg_temp.incoming i using pg_temp.repeated r where i.ordinal = r.ordinal
