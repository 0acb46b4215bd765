import type pg from 'pg';
import reportProgress from './sql/log/report_progress.sql';

export type Phase = 'fetch' | 'plan' | 'confirm' | 'apply';

export interface Counts {
  pages_done?: number;
  pages_total?: number | null;
  members_fetched?: number;
}

export interface Progress {
  /** Reports how far the run is, once `free` resolves: the connection is free then. It never fails the run. */
  report(phase: Phase, counts?: Counts, free?: () => Promise<void>): Promise<void>;
  /** How long each phase has taken until now, in ms. */
  durations(): Partial<Record<Phase, number>>;
}

/**
 * At most one row version per this many ms: a walk of ten thousand pages must not write as many, and a run that is
 * over sooner none.
 */
const INTERVAL_MS = 500;

/**
 * Keeps sync_log.progress of a run current while it goes on, for syncStatus, and times its phases. A new
 * phase is reported at once, or after the first half second if it lasts. A dry run has no row, and reports nothing.
 */
export function trackProgress(
  client: pg.Client,
  runId: number | null,
  now: () => number = () => performance.now(),
): Progress {
  const durations: Partial<Record<Phase, number>> = {};
  let counts: Counts = {};
  let current: { phase: Phase; since: number; reportedAt: number } | undefined;
  const begunAt = now();
  let later: NodeJS.Timeout | undefined;

  const settle = () => {
    if (!current) return;
    const { phase, since } = current;
    durations[phase] = Math.round((durations[phase] ?? 0) + now() - since);
    current.since = now();
  };
  return {
    report: async (phase, more = {}, free = async () => undefined) => {
      counts = { ...counts, ...more };
      if (current?.phase === phase && now() - current.reportedAt < INTERVAL_MS) return;
      settle();
      clearTimeout(later);
      const age = now() - begunAt;
      current = { phase, since: now(), reportedAt: Math.max(now(), begunAt + INTERVAL_MS) };
      if (runId === null) return;
      const write = async () => {
        const progress = JSON.stringify({ phase, ...counts });
        await free();
        // A connection that is lost is found out by the next statement that matters.
        await client.query(reportProgress, [runId, progress]).catch(() => undefined);
      };
      if (age >= INTERVAL_MS) return write();
      // Never in the transaction that applies the run: a statement that fails there would end it.
      if (phase !== 'apply') later = setTimeout(write, INTERVAL_MS - age).unref();
    },
    durations: () => {
      settle();
      return { ...durations };
    },
  };
}
