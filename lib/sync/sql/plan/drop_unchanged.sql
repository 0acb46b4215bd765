delete from pg_temp.plan where action = 'update' and fields = '{}'
