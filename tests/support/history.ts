import type { TestDatabase } from './database.ts';

/**
 * Writes so many hourly runs that ended before now, the last of them `changes` changes each, as if the register
 * had been synced for that long, and has the tables analysed as autovacuum does.
 */
export async function writeHistory(
  { query }: Pick<TestDatabase, 'query'>,
  { runs, changed = 24, changes = 1 }: { runs: number; changed?: number; changes?: number },
): Promise<void> {
  await query(`
    with written as (
      insert into public.sync_log (sync_type, sync_timestamp, finished_at, status, mode,
        members_updated, register_mark, counts_towards_limits)
      select 'membership', (now() - age) at time zone 'UTC', now() - age, 'success',
        case when hour % 24 = 0 then 'full' else 'incremental' end, ${changes}, now() - age, true
      from generate_series(1, ${runs}) hour, make_interval(mins => 60 * (${runs} - hour) + 1) age
      order by hour
      returning id, finished_at
    )
    insert into public.member_changes (run_id, member_id, action, fields, before, after, changed_at)
    select id, member, 'update', '{name}', '{}', '{}', finished_at
    from (select id, finished_at from written order by id desc limit ${changed}) r,
      generate_series(1, ${changes}) member`);
  await query('vacuum analyze');
}
