import type { Config } from '../config.ts';
import { allowance } from '../variables.ts';
import type { Snapshot } from './snapshot.ts';
import holdClass from './sql/guard/hold_class.sql';
import holdUndone from './sql/guard/hold_undone.sql';
import markBlocked from './sql/guard/mark_blocked.sql';
import releaseFirstLoad from './sql/guard/release_first_load.sql';
import weighPlan from './sql/guard/weigh_plan.sql';
import { type ChangeClass, changeClasses, type HeldReason, type Run } from './types.ts';

type ClassCounts = Record<ChangeClass, number>;

export interface GuardInput {
  /** Changes of the plan that an undo does not already hold back. */
  planned: ClassCounts;
  /** Changes that earlier runs applied within the window. */
  recent: ClassCounts;
  /** Active members from Django before this run. */
  active: number;
  /** Whether no full run was ever done, and nobody from Django is here but whom calls for single members have added. */
  isFirstLoad?: boolean;
  /** An undo takes back the run that an admin names, however small the register is. */
  isUndo?: boolean;
  /** How far absence from the snapshot can be trusted. */
  snapshot: { complete: boolean; empty: boolean; unidentified: number };
}

export interface Verdict {
  /** The classes to hold as a whole, and why; also one that has no change, where the walk saw too little. */
  holds: Partial<Record<ChangeClass, HeldReason>>;
  /** The most changes allowed in the run and its window, class by class. */
  limits: ClassCounts;
  /** Nothing of ours was here yet: neither what is new nor rows of others that are linked is limited. */
  firstLoad: boolean;
}

const settings = {
  removals: 'SYNC_MAX_REMOVALS',
  additions: 'SYNC_MAX_ADDITIONS',
  updates: 'SYNC_MAX_UPDATES',
  kennitala_changes: 'SYNC_MAX_KENNITALA_CHANGES',
} as const satisfies Record<ChangeClass, keyof Config['sync']>;

// In a register of ten the default would be no limit at all. A higher floor is taken at its word: somebody chose it.
const DEFAULT_FLOOR = 10;
/** So many votes may change in any register. */
const ALWAYS = 5;

/**
 * Decides which classes of change wait for an admin; pure. Removals need a snapshot whose absences mean
 * something; every class needs to stay within its limit, together with what was done in the window
 * before, so that a slow drip is seen as well.
 */
export function judge(input: GuardInput, config: Config['sync']): Verdict {
  const { planned, recent, active, snapshot, isUndo, isFirstLoad: firstLoad = false } = input;
  const limits = byClass((name) =>
    allowance(config[settings[name]], active, config.SYNC_LIMIT_FLOOR),
  );
  const holds: Verdict['holds'] = {};
  const beyond = (name: ChangeClass, most: number): HeldReason | undefined => {
    if (planned[name] === 0 || (firstLoad && name !== 'removals')) return undefined;
    if (planned[name] > most) return 'limit_exceeded';
    return planned[name] + recent[name] > most ? 'window_limit_exceeded' : undefined;
  };
  for (const name of changeClasses) {
    const reason = beyond(name, limits[name]);
    if (reason) holds[name] = reason;
  }
  if (planned.removals > 0 && snapshot.unidentified > 0) holds.removals = 'unidentified_record';
  // These also when nothing is to be removed: a register without members, or one that was not seen whole.
  if (snapshot.empty) holds.removals = 'snapshot_empty';
  if (!snapshot.complete) holds.removals = 'snapshot_incomplete';
  // Of what takes votes, the floor leaves two members of a small register as they are.
  if (!isUndo && config.SYNC_LIMIT_FLOOR <= DEFAULT_FLOOR) {
    for (const name of ['removals', 'kennitala_changes'] as const) {
      const before = active + recent.removals;
      const most = allowance(config[settings[name]], active, Math.max(ALWAYS, before - 2));
      const reason = holds[name] ? undefined : beyond(name, most);
      if (!reason) continue;
      holds[name] = reason;
      limits[name] = most;
    }
  }
  return { holds, limits, firstLoad };
}

/**
 * Weighs the plan against the members and the runs before it, and marks on its rows what waits for an admin:
 * what was undone before, classes beyond their limit, and what cannot be applied without those. Throws what
 * pg throws.
 */
export async function guardPlan(run: Run, snapshot: Snapshot, differs: boolean): Promise<Verdict> {
  const { client, context, mode } = run;
  const { proof, members, unidentified } = snapshot;
  const empty = mode === 'full' && members === 0;
  // Most runs: nothing to weigh, and nothing to hold. Counting the active members would read all of them.
  if (!differs && proof.complete && !empty && unidentified === 0) return nothingHeld;
  if (differs) await client.query(holdUndone, [mode !== 'undo']);
  const { rows } = await client.query<Weight>(weighPlan, [
    context.config.sync.SYNC_LIMIT_WINDOW_HOURS,
  ]);
  const weights = new Map(rows.map((row) => [row.class, row]));
  const verdict = judge(
    {
      planned: byClass((name) => weights.get(name)?.planned ?? 0),
      recent: byClass((name) => weights.get(name)?.recent ?? 0),
      active: rows[0]?.active ?? 0,
      snapshot: { complete: proof.complete, empty, unidentified },
      // An undo is limited: it is no load of the register.
      isUndo: mode === 'undo',
      isFirstLoad: mode !== 'undo' && rows[0]?.is_first_load === true,
    },
    context.config.sync,
  );
  if (verdict.firstLoad) await client.query(releaseFirstLoad);
  for (const [name, reason] of Object.entries(verdict.holds)) await hold(run, name, reason);
  if (differs) await holdBlockedChanges(run);
  return verdict;
}

interface Weight {
  class: ChangeClass;
  planned: number;
  recent: number;
  active: number;
  is_first_load: boolean;
}

/** Holds a class of change as a whole. */
export async function hold({ client }: Run, name: string, reason: HeldReason): Promise<void> {
  await client.query(holdClass, [name, reason]);
}

/** Holds what needs the kennitala of a row whose own change is not applied, and what needs that one's, and so on. */
export async function holdBlockedChanges({ client }: Run): Promise<void> {
  // One held change can block another, and that one the next.
  while ((await client.query(markBlocked, [true])).rowCount);
}

const byClass = (count: (name: ChangeClass) => number) =>
  Object.fromEntries(changeClasses.map((name) => [name, count(name)])) as ClassCounts;

const nothingHeld: Verdict = { holds: {}, limits: byClass(() => 0), firstLoad: false };
