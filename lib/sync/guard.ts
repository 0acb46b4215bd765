import type { Config } from '../config.ts';
import type { Limit } from '../variables.ts';
import type { ChangeClass, HeldReason } from './types.ts';

type ClassCounts = Record<ChangeClass, number>;

export interface GuardInput {
  /** Changes of the plan that an undo does not already hold back. */
  planned: ClassCounts;
  /** Changes that earlier runs applied within the window. */
  recent: ClassCounts;
  /** Active members from Django before this run. */
  active: number;
  /** How far absence from the snapshot can be trusted. */
  snapshot: { complete: boolean; empty: boolean; unidentified: number };
}

export interface Verdict {
  /** The classes to hold as a whole, and why. */
  holds: Partial<Record<ChangeClass, HeldReason>>;
  /** The most changes allowed in the run and its window, class by class. */
  limits: ClassCounts;
  /** Nothing of ours was here yet: neither what is new nor rows of others that are linked is limited. */
  firstLoad: boolean;
}

const allowed = (limit: Limit, active: number, floor: number) =>
  Math.max(floor, 'share' in limit ? Math.floor(limit.share * active) : limit.count);

/**
 * Decides which classes of change wait for an admin. Removals need a snapshot whose absences mean
 * something; every class needs to stay within its limit, together with what was done in the window
 * before, so that a slow drip is seen as well.
 */
export function judge(input: GuardInput, config: Config['sync']): Verdict {
  const { planned, recent, active, snapshot } = input;
  const limits: ClassCounts = {
    removals: allowed(config.SYNC_MAX_REMOVALS, active, config.SYNC_LIMIT_FLOOR),
    additions: allowed(config.SYNC_MAX_ADDITIONS, active, config.SYNC_LIMIT_FLOOR),
    updates: allowed(config.SYNC_MAX_UPDATES, active, config.SYNC_LIMIT_FLOOR),
  };
  const firstLoad = active === 0;
  const holds: Verdict['holds'] = {};
  for (const name of ['removals', 'additions', 'updates'] as const) {
    if (planned[name] === 0 || (firstLoad && name !== 'removals')) continue;
    if (planned[name] > limits[name]) holds[name] = 'limit_exceeded';
    else if (planned[name] + recent[name] > limits[name]) holds[name] = 'window_limit_exceeded';
  }
  if (planned.removals > 0 && snapshot.unidentified > 0) holds.removals = 'unidentified_record';
  if (planned.removals > 0 && snapshot.empty) holds.removals = 'snapshot_empty';
  // Told even when nothing is to be removed: the run did not see the whole register.
  if (!snapshot.complete) holds.removals = 'snapshot_incomplete';
  return { holds, limits, firstLoad };
}
