import type pg from 'pg';
import { inTransaction } from '../database.ts';
import auditChanges from './sql/apply/audit_changes.sql';
import forgetUndone from './sql/apply/forget_undone.sql';
import insertMembers from './sql/apply/insert_members.sql';
import rememberUndone from './sql/apply/remember_undone.sql';
import stampVerified from './sql/apply/stamp_verified.sql';
import updateMembers from './sql/apply/update_members.sql';
import vacateKennitalas from './sql/apply/vacate_kennitalas.sql';
import type { Action } from './types.ts';

/** Someone else wrote a planned row between plan and apply; the plan has to be made again. */
export class PlanOutdatedError extends Error {
  override readonly name = 'PlanOutdatedError';
}

export interface Application {
  runId: number;
  now: Date;
  /** What the plan applies, without what is held. */
  counts: Record<Action, number>;
  /** How many members the run saw in the register; undefined for an undo, which has not seen it. */
  members: number | undefined;
  wholeRegister: boolean;
  /** The run that is taken back. */
  undo: number | undefined;
  /** Writes the outbox and the final state of the run, inside the transaction. */
  conclude: () => Promise<void>;
}

// SQLSTATE: another service inserted a member that the plan adds.
const UNIQUE_VIOLATION = '23505';
const KENNITALA_IS_UNIQUE = 'members_kennitala_key';

/**
 * Applies the plan in one short transaction: audit rows, changes, additions, verification stamp and
 * whatever `conclude` writes; all of it or none. Readers are never blocked. Throws PlanOutdatedError when
 * a row is no longer the version that the plan was made from, and what pg throws.
 */
export async function applyPlan(client: pg.Client, application: Application): Promise<void> {
  const { runId, now, counts, members, wholeRegister, undo } = application;
  const verified = members !== undefined;
  try {
    await inTransaction(client, async () => {
      await client.query('set local synchronous_commit = on');
      const changed = counts.update + counts.reactivate + counts.remove;
      if (changed > 0) {
        await client.query(auditChanges, [runId]);
        await client.query(vacateKennitalas);
        expectRows(await client.query(updateMembers, [verified ? now : null]), changed);
      }
      if (counts.add > 0) expectRows(await client.query(insertMembers, [runId, now]), counts.add);
      if (verified) {
        // Who was added or changed has the stamp already: after a first load that is everybody.
        const stamped = counts.add + counts.update + counts.reactivate;
        if (stamped < members) await client.query(stampVerified, [now]);
        await client.query(forgetUndone, [wholeRegister]);
      }
      if (undo !== undefined) await client.query(rememberUndone, [undo, runId]);
      await application.conclude();
    });
  } catch (error) {
    const { code, constraint } = error as { code?: string; constraint?: string };
    if (code !== UNIQUE_VIOLATION || constraint !== KENNITALA_IS_UNIQUE) throw error;
    throw new PlanOutdatedError('another service wrote a kennitala that the plan adds', {
      cause: error,
    });
  }
}

// A row that was changed since the plan is skipped by the statement, and missing from its count.
function expectRows({ rowCount }: pg.QueryResult, planned: number): void {
  if (rowCount !== planned) {
    throw new PlanOutdatedError(`${planned} rows planned, ${rowCount} still as the plan saw them`);
  }
}
