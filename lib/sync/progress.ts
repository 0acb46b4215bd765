import type pg from 'pg';
import reportProgress from '../sql/report_progress.sql';

export type Phase = 'fetch' | 'plan' | 'confirm' | 'apply';

export interface Counts {
  pages_done?: number;
  pages_total?: number | null;
  members_fetched?: number;
}

/** Tells how far the run is; never waits and never fails the run. */
export type ReportProgress = (phase: Phase, counts?: Counts) => void;

/** At most one row version per this many ms: a walk of ten thousand pages must not write as many. */
const INTERVAL_MS = 500;

/**
 * Keeps sync_log.progress of a run current while it goes on, for syncStatus. A new phase is told at once.
 * A dry run has no row and reports to nobody.
 */
export function progressReporter(
  client: pg.Client,
  runId: number | null,
  now = Date.now,
): ReportProgress {
  if (runId === null) return () => undefined;
  let counts: Counts = {};
  let last: { phase: Phase; at: number } | undefined;
  return (phase, more = {}) => {
    counts = { ...counts, ...more };
    if (last?.phase === phase && now() - last.at < INTERVAL_MS) return;
    last = { phase, at: now() };
    client
      .query(reportProgress, [runId, JSON.stringify({ phase, ...counts })])
      .catch(() => undefined);
  };
}
