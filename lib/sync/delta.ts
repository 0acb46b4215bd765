import type pg from 'pg';
import type { ErrorList } from './errorList.ts';
import type { Verdict } from './guard.ts';
import countHeld from './sql/guard/count_held.sql';
import holdBlocked from './sql/guard/hold_blocked.sql';
import holdClass from './sql/guard/hold_class.sql';
import holdUndone from './sql/guard/hold_undone.sql';
import planChanges from './sql/plan/plan_changes.sql';
import summarisePlan from './sql/plan/summarise_plan.sql';
import takeOutNameless from './sql/plan/take_out_nameless.sql';
import type { Action, ChangeClass, Held, HeldReason } from './types.ts';

/** What the plan does, as counted from its rows. */
export interface Delta {
  counts: Record<Action, number>;
  suspended: number;
  undone: Record<ChangeClass, number>;
  /** New members whose records have no name: set aside as errors. */
  nameless: number;
  digest: string;
}

/**
 * Works out what was added, changed, came back or left, as rows of `plan`, in one set-based statement.
 * Unchanged members never leave the database. `wholeRegister` says whether absence means something.
 */
export async function calculateDelta(
  client: pg.Client,
  wholeRegister: boolean,
  now: Date,
  errors: ErrorList,
): Promise<Delta> {
  await client.query('delete from plan');
  await client.query(planChanges, [wholeRegister, now]);
  await client.query(holdUndone);
  const { nameless, ...delta } = await summarise(client);
  if (nameless === 0) return { ...delta, nameless };
  const taken = await client.query<{ external_id: string }>(takeOutNameless);
  for (const { external_id } of taken.rows) {
    errors.add('invalid_name', external_id, 'a new member needs a name and the record has none');
  }
  return { ...(await summarise(client)), nameless };
}

/** Counts the plan and digests it; again after rows were dropped from it. */
export async function summarise(client: pg.Client): Promise<Delta> {
  const { rows } = await client.query(summarisePlan);
  const { add, update, reactivate, remove, suspended, nameless, digest, ...undone } = rows[0];
  return {
    counts: { add, update, reactivate, remove },
    suspended,
    nameless,
    digest,
    undone: {
      removals: undone.undone_removals,
      additions: undone.undone_additions,
      updates: undone.undone_updates,
    },
  };
}

const actions: Record<ChangeClass, Action[]> = {
  removals: ['remove'],
  additions: ['add', 'reactivate'],
  updates: ['update'],
};

/** Marks what the verdict holds, and what cannot be applied without it; tells what is held in all. */
export async function holdBack(client: pg.Client, { holds, limits }: Verdict): Promise<Held> {
  const held: Held = {};
  for (const [name, reason] of Object.entries(holds) as [ChangeClass, HeldReason][]) {
    await client.query(holdClass, [actions[name], reason]);
    held[name] = { count: 0, limit: limits[name], reason };
  }
  let { rows } = await client.query(countHeld);
  // One held change can block another, and that one the next.
  while (rows.length > 0 && (await client.query(holdBlocked)).rowCount) {
    ({ rows } = await client.query(countHeld));
  }
  for (const { class: name, reason, count } of rows as {
    class: ChangeClass;
    reason: HeldReason;
    count: number;
  }[]) {
    const known = held[name] ?? { count: 0, limit: limits[name], reason };
    held[name] = { ...known, count: known.count + count };
  }
  return held;
}
