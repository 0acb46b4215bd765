-- Only where the extension citus is: whether this node is a worker, and which of our tables are spread over nodes.
-- Partition methods: h, r and a are distributed, n is a reference table or one that is known to Citus only.
select
  (select groupid <> 0 from pg_catalog.pg_dist_local_group) as is_worker,
  array(
    select c.relname::text
    from pg_catalog.pg_dist_partition p
    join pg_catalog.pg_class c on c.oid = p.logicalrelid
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where p.partmethod <> 'n' and n.nspname = 'public'
      and c.relname in ('members', 'member_changes', 'sync_log', 'notification_outbox', 'undone_changes', 'held_changes', 'open_findings')
    order by 1
  ) as distributed
