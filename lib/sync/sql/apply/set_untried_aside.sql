-- Sets the changes of turns $1 to $2 aside that the run would make, and did not come to try.
update pg_temp.plan set set_aside = 'change_waits'
where turn between $1::int and $2::int and held is null and set_aside is null and action <> 'suspended'
returning set_aside as code, coalesce(external_id, old_external_id) as external_id
