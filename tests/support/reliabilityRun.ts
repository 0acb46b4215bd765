import type { SyncRequest, SyncResult } from '../../lib/sync/types.ts';
import { runHere } from './run.ts';
import type { Settings } from './world.ts';

/** A run or a dry run in this process, as the bundle would make it with these settings. Throws SyncError. */
export const runInProcess = (
  settings: Settings,
  request: Partial<SyncRequest> = {},
): Promise<SyncResult> => runHere(settings, { previewLimit: 1000, ...request });
