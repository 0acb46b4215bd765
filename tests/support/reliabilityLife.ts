import type { SyncRequest, SyncResult } from '../../lib/sync/types.ts';
import type { Row } from './database.ts';
import { expectAudited } from './reliabilityAudit.ts';
import { expectRegister, expectWithinLimits } from './reliabilityChecks.ts';
import { disturb } from './reliabilityFaults.ts';
import { membersNow, recordsOf } from './reliabilityRegister.ts';
import { ballotsLost, changedIdentities, votesGiven, votesTaken } from './reliabilityRules.ts';
import { trackUndone, type UndoneChanges } from './reliabilityUndone.ts';
import type { ReliabilityWorld, Setting } from './reliabilityWorld.ts';
import { runHere } from './run.ts';
import { membersOf, type Settings } from './world.ts';

/** A case of several steps, and what it has done so far. */
export interface History {
  world: ReliabilityWorld;
  given: Setting;
  settings: Settings;
  undone: UndoneChanges;
  /** Runs that changed members, oldest first. */
  runs: number[];
  /** Runs that no limit counts: the first load, and what was approved. */
  released: number[];
  /** Requests whose digest is spent. */
  spent: Partial<SyncRequest>[];
}

/** Starts a case with a first load. */
export async function startHistory(world: ReliabilityWorld, given: Setting): Promise<History> {
  const { settings } = await world.start(given);
  const load = await runHere(settings, { mode: 'full' });
  expect(load.status).toBe('success');
  return {
    world,
    given,
    settings: { ...settings, ...limitsOf(given) },
    undone: trackUndone(),
    runs: [],
    released: [Number(load.run_id)],
    spent: [],
  };
}

const limitsOf = ({ limit }: Setting) => ({
  SYNC_MAX_REMOVALS: String(limit),
  SYNC_MAX_ADDITIONS: String(limit),
  SYNC_MAX_UPDATES: String(limit),
  SYNC_MAX_KENNITALA_CHANGES: String(limit),
  SYNC_LIMIT_FLOOR: String(limit),
});

export const rowsOf = ({ world }: History): Promise<Row[]> => membersOf(world.database);
export const run = ({ settings }: History, request: Partial<SyncRequest>): Promise<SyncResult> =>
  runHere(settings, request);
export const dryRun = (history: History, request: Partial<SyncRequest>): Promise<SyncResult> =>
  run(history, { ...request, dryRun: true, details: true });

/** Whether nobody of ours is active: the next run over the register is a first load, which no limit holds. */
export const isEmpty = (all: Row[]): boolean =>
  !all.some((row) => row['is_active'] && row['sync_source'] === 'django');

/** Notes a run that has changed members, and holds it against the audit trail. */
export async function note(history: History, before: Row[], result: SyncResult, approved = false) {
  const after = await rowsOf(history);
  const changes = await expectAudited(history.world.database, before, after, result);
  const id = Number(result.run_id);
  if (changes.length > 0) history.runs.push(id);
  if (approved || (isEmpty(before) && result.mode !== 'undo')) history.released.push(id);
  await expectWithinLimits(history.world.database, history.given.limit, history.released);
  return { after, changes };
}

/** What holds after every run over the register, whatever it saw of it. */
export function expectSafe(
  history: History,
  before: Row[],
  after: Row[],
  result: SyncResult,
  watched = disturb(history.world.django),
  unreadable?: ReadonlySet<number>,
) {
  const waits = result.held?.additions !== undefined;
  expect(changedIdentities(before, after, watched)).toEqual([]);
  expect(votesTaken(before, after, watched, unreadable, waits)).toEqual([]);
  expect(votesGiven(before, after, watched)).toEqual([]);
  expect(history.undone.broken(after)).toEqual([]);
}

/** What waits is told by a dry run; everybody else is as the register says. */
export async function expectClean(
  history: History,
  before: Row[],
  after: Row[],
  result: SyncResult,
) {
  const rest = result.held ? (await dryRun(history, { mode: 'full' })).changes : [];
  if (isEmpty(after)) return;
  expect(rest?.filter(({ held }) => !held)).toEqual([]);
  expectRegister(recordsOf(history.world.django), before, after, result, rest);
  const waiting = new Set(rest?.map(({ external_id }) => external_id));
  const members = [...membersNow(history.world.django).values()];
  const settled = members.filter(({ id }) => !waiting.has(String(id)));
  expect(ballotsLost(before, after, settled)).toEqual([]);
}
