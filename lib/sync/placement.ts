import type pg from 'pg';
import { SyncError } from '../errors.ts';
import inspectCitus from './sql/session/inspect_citus.sql';

export interface Placement {
  is_worker: boolean;
  /** `members` is a reference table, and the coordinator is no node that has one. */
  has_no_copy: boolean;
  /** Tables of ours in schema public that Citus has spread over nodes. */
  distributed: string[];
}

/**
 * Refuses a database whose Citus nodes hold our tables in a way that would lie to readers or to the limits. From then on a
 * wait on another node ends when one here would: what is SET LOCAL holds there as well.
 */
export async function refusePlacement(client: pg.ClientBase): Promise<void> {
  const { rows } = await client.query<Placement>(inspectCitus);
  const problem = problemWith(rows[0] as Placement);
  if (problem !== undefined) throw new SyncError('database_unavailable', problem);
  await client.query(`set citus.propagate_set_commands = 'local'`);
}

/** What is wrong with a placement, with the cure; undefined where nothing is. Pure. */
export function problemWith({
  is_worker,
  has_no_copy,
  distributed,
}: Placement): string | undefined {
  if (is_worker) {
    return 'DATABASE_URL points at a worker of Citus. Point it at the coordinator.';
  }
  if (has_no_copy) {
    return 'public.members is a reference table of Citus, and the coordinator has no copy of it: select citus_set_coordinator_host with its address (docs/CAPACITY.md).';
  }
  if (distributed.includes('members')) {
    return 'public.members is distributed over the nodes of Citus, where readers see half a run, or lies on one of them. Undo it with undistribute_table, and make it a reference table with create_reference_table (docs/CAPACITY.md).';
  }
  if (distributed.length > 0) {
    return `${distributed.map((name) => `public.${name}`).join(', ')} must not be on other nodes of Citus than the coordinator: the limits of the last 24 hours could not be counted. Undo it with undistribute_table.`;
  }
  return undefined;
}
