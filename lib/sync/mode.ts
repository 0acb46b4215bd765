import type pg from 'pg';
import type { Config } from '../config.ts';
import { SyncError } from '../errors.ts';
import lastMarks from './sql/log/last_marks.sql';
import type { ChosenMode, SyncRequest } from './types.ts';

/** Changes of this many ms before the mark are asked for again: a transaction may commit long after its `modified`. */
const OVERLAP_MS = 15 * 60_000;

interface Marks {
  register_mark: Date | null;
  full_is_recent: boolean;
  /** The last full run holds something. */
  full_holds: boolean;
  /** The plan that is approved is not that of an incremental run. */
  plan_is_full: boolean;
}

/**
 * Chooses how the register is read. Incremental needs a mark left by a complete run and a full run that
 * is recent enough; whoever asks for full gets full, and so does a look at what a full run holds, and its approval. Throws `invalid_request` when incremental is asked
 * for and not configured.
 */
export async function chooseMode(
  client: pg.Client,
  request: SyncRequest,
  config: Config<'django' | 'sync'>,
): Promise<ChosenMode> {
  if (request.undo !== undefined) return { mode: 'undo', since: undefined };
  if (request.externalIds !== undefined) return { mode: 'selected', since: undefined };
  const possible = config.django.DJANGO_MODIFIED_SINCE_PARAM !== '';
  if (request.mode === 'incremental' && !possible) {
    throw new SyncError(
      'invalid_request',
      'mode: incremental needs DJANGO_MODIFIED_SINCE_PARAM, which is not set. Leave mode out or ask for full.',
    );
  }
  if (!possible || request.mode === 'full') return { mode: 'full', since: undefined };
  const { rows } = await client.query<Marks>(lastMarks, [
    config.sync.SYNC_FULL_INTERVAL_MINUTES,
    request.approvedPlan ?? null,
  ]);
  const last = rows[0];
  if (!last?.register_mark || !last.full_is_recent) return { mode: 'full', since: undefined };
  // What a full run holds is looked at and approved by reading as much: an incremental run sees nobody who is gone.
  const decides = request.approvedPlan !== undefined ? last.plan_is_full : request.dryRun;
  if (request.mode === undefined && decides && last.full_holds) {
    return { mode: 'full', since: undefined };
  }
  return { mode: 'incremental', since: new Date(last.register_mark.getTime() - OVERLAP_MS) };
}
