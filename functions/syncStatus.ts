import { http } from '@google-cloud/functions-framework';
import { endpoint } from '../lib/http/endpoint.ts';
import { routes } from '../lib/http/routes.ts';
import { statusParameters } from '../lib/sync/parameters.ts';
import { readStatus } from '../lib/sync/status.ts';

/** How old the last complete full run may be when an election opens, unless the caller says so. */
const DEFAULT_WITHIN_MINUTES = 60;

// Is the register in step, what is going on now, when is the next run due, and may an election open.
http(
  routes.syncStatus.name,
  endpoint({
    ...routes.syncStatus,
    needs: ['database', 'sync'],
    parameters: statusParameters,
    answer: async ({ config, secrets, parameters }) => ({
      body: await readStatus(secrets.DATABASE_URL, {
        intervalMinutes: config.sync.SYNC_INTERVAL_MINUTES,
        withinMinutes: parameters.within_minutes ?? DEFAULT_WITHIN_MINUTES,
      }),
    }),
  }),
);
