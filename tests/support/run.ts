import { loadConfig } from '../../lib/config.ts';
import { toSyncError } from '../../lib/databaseErrors.ts';
import { createLog } from '../../lib/log.ts';
import { fixedCredential } from '../../lib/secrets.ts';
import type { SyncContext, SyncRequest, SyncResult } from '../../lib/sync/types.ts';

export interface RunOptions {
  /** Beside those of the world. */
  settings?: Record<string, string>;
  signal?: AbortSignal;
}

/** What a run needs from outside, for these settings. */
export function contextOf(
  settings: Record<string, string>,
  write: (line: string) => void,
): SyncContext {
  const config = loadConfig(settings, ['database', 'django', 'sync', 'notify']);
  return {
    config,
    secrets: {
      DATABASE_URL: fixedCredential(config.database.DATABASE_URL),
      DJANGO_API_KEY: fixedCredential(config.django.DJANGO_API_KEY),
      NOTIFY_SECRET: fixedCredential(config.notify.NOTIFY_SECRET),
    },
    log: createLog('DEBUG', write),
    signal: new AbortController().signal,
  };
}

/** A run or a dry run in this process, as the function would make it with these settings. Throws SyncError. */
export async function runHere(
  settings: Record<string, string>,
  request: Partial<SyncRequest> = {},
  {
    write = () => {},
    ...rest
  }: Omit<RunOptions, 'settings'> & { write?: (line: string) => void } = {},
): Promise<SyncResult> {
  const context = { ...contextOf(settings, write), ...rest };
  // On demand: it imports .sql, which Node.js alone cannot load, and bench/ shares this folder.
  const { performSync } = await import('../../lib/sync/performSync.ts');
  try {
    return await performSync(
      { syncType: 'manual', dryRun: false, previewLimit: 1000, caller: 'test', ...request },
      context,
    );
  } catch (thrown) {
    throw toSyncError(thrown, context.signal);
  }
}
