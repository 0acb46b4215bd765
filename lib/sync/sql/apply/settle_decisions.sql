-- What an undo or a release could not do waits until it is done, or there is nothing left of it to do. $1: the run saw
-- the whole register. $2: the run that it takes back. $3: whom it releases. $4: whom its errors name.
delete from public.open_findings o
where o.error_code::text in ('undo_waits', 'release_waits') and (
  -- A change of who votes, or under which kennitala, was made since.
  exists (
    select from pg_temp.applicable p
    where coalesce(p.external_id, p.old_external_id) = o.external_id::text and p.class <> 'updates'
  )
  or o.external_id::text <> all($4::text[]) and (
    -- The call was sent again, and has nothing to do; or it was itself taken back.
    o.error_code::text = 'release_waits' and o.external_id::text = any($3::text[])
    or o.run_id = $2::int
    or o.error_code::text = 'undo_waits' and exists (
      select from public.member_changes c
      where c.run_id = $2::int and o.external_id::text in (c.after ->> 'external_id'::text, c.before ->> 'external_id'::text)
    )
    -- Somebody has suspended the member, or the register no longer has them.
    or o.error_code::text = 'undo_waits' and exists (
      select from pg_temp.plan p where p.action = 'suspended' and p.external_id = o.external_id::text
    )
    or $1::boolean and o.external_id::text not in (select external_id from pg_temp.incoming where is_member)
      and o.external_id::text not in (select old_external_id from pg_temp.plan where old_external_id is not null)
  )
)
