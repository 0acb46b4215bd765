-- Keeps open_findings to what run $1 found ($3 to $7, one place each): what is known already keeps its beginning,
-- and what the run saw settled goes; with them the members suspended by hand. $2: it saw the whole register; another run settles only what it read. A
-- removal that is held was not asked about, so it is as unconfirmed as before. Decisions that wait are settled apart.
-- $8: it read the register, so none is missing any more.
with found as (
  select * from unnest($3::text[], $4::text[], $5::int[], $6::text[], $7::text[])
    as f(code, external_id, records, error_code, message)
  union all
  -- Nobody has to do anything about these; but since when is written nowhere else.
  select distinct on (external_id) 'suspended', external_id, 1, case when old_removed_at is null then 'suspended' else 'removed_by_hand' end,
    'made inactive here by hand'
  from pg_temp.plan
  where suspended and evidence is null and external_id is not null
),
settled as (
  delete from public.open_findings o
  where ($2::boolean or o.code::text = 'run_missing' and $8::boolean or o.external_id::text in (select external_id from pg_temp.incoming))
    and o.error_code::text not in ('undo_waits', 'release_waits')
    and not exists (select from found f where f.code = o.code::text and f.external_id = o.external_id::text)
    and not (
      o.code::text = 'removals_unconfirmed'
      and exists (
        select from pg_temp.plan p where p.action = 'remove' and p.held is not null and p.external_id = o.external_id::text
      )
    )
)
insert into public.open_findings as o (code, external_id, records, error_code, message, run_id)
select code, external_id, records, error_code, message, $1::int from found
on conflict (code, external_id) do update set
  -- Records that name nobody: a part of the register shows a part of them.
  records = case when $2::boolean then excluded.records else greatest(o.records, excluded.records) end,
  error_code = excluded.error_code, message = excluded.message, run_id = excluded.run_id
where o.code::text <> 'suspended'
  and (o.error_code::text not in ('undo_waits', 'release_waits') or excluded.error_code::text in ('undo_waits', 'release_waits'))
