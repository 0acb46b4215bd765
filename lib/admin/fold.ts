import type { RunLine } from './reads.ts';

/** Several runs in a row that are one line of the history, or one run that is a line of its own. */
export type Line =
  | { kind: 'run'; run: RunLine }
  | { kind: 'quiet' | 'single'; runs: RunLine[]; changes: number };

/** Folds hours in which nothing happened, and calls for single members, of which there may be hundreds; pure. */
export function foldRuns(runs: RunLine[]): Line[] {
  const lines: Line[] = [];
  for (const run of runs) {
    const kind = kindOf(run);
    const last = lines.at(-1);
    if (kind === 'run') {
      lines.push({ kind, run });
    } else if (last?.kind === kind) {
      last.runs.push(run);
      last.changes += changesOf(run);
    } else lines.push({ kind, runs: [run], changes: changesOf(run) });
  }
  // One alone is clearer as itself.
  return lines.map((line) =>
    line.kind !== 'run' && line.runs.length === 1 && line.runs[0]
      ? { kind: 'run', run: line.runs[0] }
      : line,
  );
}

/** How many members a run changed. */
export const changesOf = ({ added, updated, returned, removed }: RunLine): number =>
  added + updated + returned + removed;

function kindOf(run: RunLine): Line['kind'] {
  const isGood = run.status === 'success' || run.status === 'partial';
  if (run.mode === 'selected' && isGood) return 'single';
  const isQuiet = run.status === 'success' && changesOf(run) === 0 && run.undoes === null;
  return isQuiet ? 'quiet' : 'run';
}
