-- Other services may have millions of rows beside a few thousand from Django: a run and syncStatus find ours by this
-- index. All entries of one source are equal and at its end, so that it costs a first load next to nothing.
create index if not exists idx_members_sync_source on public.members (sync_source);
