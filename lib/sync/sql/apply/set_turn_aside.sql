-- Sets the changes of one turn aside that the run would make. $1: the turn, $2: the error code.
update pg_temp.plan set set_aside = $2::text
where turn = $1::int and held is null and set_aside is null and action <> 'suspended'
returning set_aside as code, coalesce(external_id, old_external_id) as external_id
