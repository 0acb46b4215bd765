import { http } from '@google-cloud/functions-framework';
import { endpoint } from '../lib/http/endpoint.ts';
import { routes } from '../lib/http/request.ts';
import { performSync } from '../lib/sync/performSync.ts';
import { syncParameters, syncRequest } from './sync/schema.ts';

// The run itself: called by Cloud Scheduler every hour, by Django's webhooks and by admins. Only admins
// approve and undo.
http(
  routes.syncScheduled.name,
  endpoint({
    ...routes.syncScheduled,
    needs: ['database', 'django', 'sync', 'notify'],
    parameters: syncParameters,
    pubsub: true,
    restricted: true,
    answer: async ({ config, secrets, parameters, caller, log, signal, deadline }) => {
      const request = syncRequest(parameters, false, caller);
      if (!config.sync.SYNC_ENABLED) {
        return { body: { status: 'skipped', reason: 'sync_disabled' } };
      }
      const context = { config, secrets, log, signal, deadline };
      return { body: await performSync(request, context) };
    },
  }),
);
