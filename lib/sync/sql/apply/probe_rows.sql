-- Writes up to three rows of which nothing was refused, as they are, and an audit row, and takes it back: what they meet is
-- met by every row.
-- The state of pg_temp.attempt is then null if one of them can be written, and otherwise what they met: 'several'
-- where that was not the same, 'none' where there is none.
do $$
declare
  found_id int;
  met text := 'none';
begin
  for found_id in
    -- Some from everywhere: a rule may look at old rows only.
    select found.id
    from (
      select m.id, row_number() over (order by m.id) as n, count(*) over () as of_all
      from public.members m
      left join (select member_id from pg_temp.plan where set_aside is not null) p on p.member_id = m.id
      where p.member_id is null and m.is_active and m.sync_source::text = 'django'
    ) found
    where found.n in (1, (found.of_all + 1) / 2, found.of_all)
    order by found.id desc
  loop
    begin
      update public.members
      set kennitala = kennitala, name = name, email = email, phone = phone, external_id = external_id,
        is_active = is_active, removed_at = removed_at, last_verified_at = last_verified_at, unseen_since = unseen_since
      where id = found_id;
      insert into public.member_changes (run_id, member_id, action, fields, before, after)
      select run_id, found_id, 'update', '{}', '{}', '{}' from pg_temp.attempt;
      set constraints all immediate;
      raise exception using errcode = 'MS002';
    exception when others or assert_failure then
      met := case
        when sqlstate = 'MS002' then null
        when met in ('none', sqlstate) then sqlstate
        else 'several'
      end;
    end;
    exit when met is null;
  end loop;
  update pg_temp.attempt set state = met;
end
$$
