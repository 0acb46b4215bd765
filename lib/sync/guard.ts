import type { Config } from '../config.ts';
import type { Limit } from '../variables.ts';
import type { ChangeClass, HeldReason } from './types.ts';

type ClassCounts = Record<ChangeClass, number>;

export interface GuardInput {
  /** Changes of the plan that an undo does not already hold back. */
  planned: ClassCounts;
  /** Changes that earlier runs applied within the window. */
  recent: ClassCounts;
  /** Active members from Django before this run, counted as far as `enoughMembers` says at least. */
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

const classes: ChangeClass[] = ['removals', 'additions', 'updates'];
const settings = {
  removals: 'SYNC_MAX_REMOVALS',
  additions: 'SYNC_MAX_ADDITIONS',
  updates: 'SYNC_MAX_UPDATES',
} as const;

const allowed = (limit: Limit, active: number, floor: number) =>
  Math.max(floor, 'share' in limit ? Math.floor(limit.share * active) : limit.count);

/**
 * With so many active members `judge` lets the same changes through as with any more of them, so that
 * nobody needs to count further; Infinity where only all of them will do.
 */
export function enoughMembers(
  { planned, recent }: Pick<GuardInput, 'planned' | 'recent'>,
  config: Config['sync'],
): number {
  const enough = classes.map((name) => {
    const limit = config[settings[name]];
    const changes = planned[name] + recent[name];
    const isShare = 'share' in limit && planned[name] > 0 && changes > config.SYNC_LIMIT_FLOOR;
    // One more than the share asks for, because fractions are not exact.
    return isShare ? Math.ceil(changes / limit.share) + 1 : 1;
  });
  return Math.max(...enough);
}

/**
 * Decides which classes of change wait for an admin. Removals need a snapshot whose absences mean
 * something; every class needs to stay within its limit, together with what was done in the window
 * before, so that a slow drip is seen as well.
 */
export function judge(input: GuardInput, config: Config['sync']): Verdict {
  const { planned, recent, active, snapshot } = input;
  const limitOf = (name: ChangeClass) =>
    allowed(config[settings[name]], active, config.SYNC_LIMIT_FLOOR);
  const limits: ClassCounts = {
    removals: limitOf('removals'),
    additions: limitOf('additions'),
    updates: limitOf('updates'),
  };
  const firstLoad = active === 0;
  const holds: Verdict['holds'] = {};
  for (const name of classes) {
    if (planned[name] === 0 || (firstLoad && name !== 'removals')) continue;
    if (planned[name] > limits[name]) {
      holds[name] = 'limit_exceeded';
    } else if (planned[name] + recent[name] > limits[name]) holds[name] = 'window_limit_exceeded';
  }
  if (planned.removals > 0 && snapshot.unidentified > 0) holds.removals = 'unidentified_record';
  if (planned.removals > 0 && snapshot.empty) holds.removals = 'snapshot_empty';
  // Told even when nothing is to be removed: the run did not see the whole register.
  if (!snapshot.complete) holds.removals = 'snapshot_incomplete';
  return { holds, limits, firstLoad };
}
