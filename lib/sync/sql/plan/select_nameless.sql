select external_id from plan where set_aside = 'invalid_name' order by id
