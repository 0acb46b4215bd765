-- Only where the extension citus is: whether this node is a worker, whether it holds no copy of a reference table that it
-- joins with our own, and which of our tables are spread over nodes. Partition methods h, r and a are distributed by a
-- column; n with replication model t is a reference table, without it a table on one node: in a group of tables on any
-- (since Citus 12), else a table of the coordinator that is known to Citus.
with ours as (
  select c.relname::text as name, p.partmethod, p.repmodel, p.colocationid
  from pg_catalog.pg_dist_partition p
  join pg_catalog.pg_class c on c.oid = p.logicalrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where n.nspname = 'public'
    and c.relname in ('members', 'member_changes', 'sync_log', 'notification_outbox', 'undone_changes', 'held_changes', 'open_findings', 'rewritten_values')
)
select
  (select groupid <> 0 from pg_catalog.pg_dist_local_group) as is_worker,
  exists (select from ours where name = 'members' and repmodel = 't')
    and not exists (select from pg_catalog.pg_dist_node where groupid = 0) as has_no_copy,
  array(
    select name from ours
    where partmethod <> 'n' or (repmodel <> 't' and colocationid <> 0) or (repmodel = 't' and name <> 'members')
    order by 1
  ) as distributed
