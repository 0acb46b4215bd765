import { loadConfig } from '../../lib/config.ts';
import { toSyncError } from '../../lib/failure.ts';
import { createLog } from '../../lib/log.ts';
import { fixedCredential } from '../../lib/secrets.ts';
import { performSync } from '../../lib/sync/performSync.ts';
import type { SyncRequest, SyncResult } from '../../lib/sync/types.ts';
import type { Env } from './reliability.ts';

/** A run or a dry run in this process, as the bundle would make it with these settings. Throws SyncError. */
export function runInProcess(
  settings: Env,
  request: Partial<SyncRequest> = {},
): Promise<SyncResult> {
  const config = loadConfig(settings, ['database', 'django', 'sync', 'notify']);
  const { signal } = new AbortController();
  return performSync(
    { syncType: 'manual', dryRun: false, previewLimit: 1000, caller: 'test', ...request },
    {
      config,
      secrets: {
        DATABASE_URL: fixedCredential(config.database.DATABASE_URL),
        DJANGO_API_KEY: fixedCredential(config.django.DJANGO_API_KEY),
        NOTIFY_SECRET: fixedCredential(config.notify.NOTIFY_SECRET),
      },
      log: createLog('CRITICAL', () => {}),
      signal,
      now: () => new Date(),
    },
  ).catch((thrown: unknown) => {
    throw toSyncError(thrown, signal);
  });
}
