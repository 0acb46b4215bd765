import type { SyncStatus } from '../status/status.ts';
import type { RunLine } from './reads.ts';

/** Several runs in a row that are one line of the history, or one run that is a line of its own. */
export type Line = { kind: 'run'; run: RunLine } | { kind: 'folded'; runs: RunLine[] };

/** Runs of a folded line that changed something: each is a line within it. */
const MOST_CHANGED = 20;

/** Folds hours in which nothing happened, and calls for single members, of which there may be hundreds; pure. */
export function foldRuns(runs: RunLine[]): Line[] {
  const lines: Line[] = [];
  for (const run of runs) {
    const last = lines.at(-1);
    if (!isQuiet(run) && !isSingle(run)) {
      lines.push({ kind: 'run', run });
    } else if (last?.kind === 'folded' && changed(last.runs).length < MOST_CHANGED) {
      last.runs.push(run);
    } else lines.push({ kind: 'folded', runs: [run] });
  }
  // One alone is clearer as itself.
  return lines.map((line) =>
    line.kind === 'folded' && line.runs.length === 1 && line.runs[0]
      ? { kind: 'run', run: line.runs[0] }
      : line,
  );
}

/** How many members a run changed. */
export const changesOf = ({ added, updated, returned, removed }: RunLine): number =>
  added + updated + returned + removed;

/** Those of the runs that changed something. */
export const changed = (runs: RunLine[]): RunLine[] => runs.filter((run) => changesOf(run) > 0);

/** Whether a run was a call for single members that went well. */
export const isSingle = ({ mode, status }: RunLine): boolean =>
  mode === 'selected' && (status === 'success' || status === 'partial');

const isQuiet = (run: RunLine): boolean =>
  run.status === 'success' && changesOf(run) === 0 && run.undoes === null;

/** A run as it stands now: one that never ended and is not the one that goes on has broken off; pure. */
export const asOf = (run: RunLine, now?: Pick<SyncStatus, 'running'>): RunLine =>
  now && run.status === 'pending' && now.running?.['run_id'] !== run.id
    ? { ...run, status: 'abandoned' }
    : run;
