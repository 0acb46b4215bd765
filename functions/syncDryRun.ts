import { http } from '@google-cloud/functions-framework';
import { endpoint } from '../lib/http/endpoint.ts';
import { routes } from '../lib/http/request.ts';
import { performSync } from '../lib/sync/performSync.ts';
import { dryRunParameters, syncRequest } from './sync/schema.ts';

// What a run would do now: the same code in a session that can write nothing.
http(
  routes.syncDryRun.name,
  endpoint({
    ...routes.syncDryRun,
    needs: ['database', 'django', 'sync', 'notify'],
    parameters: dryRunParameters,
    answer: async ({ config, secrets, parameters, caller, log, signal, deadline }) => {
      const context = { config, secrets, log, signal, deadline };
      return { body: await performSync(syncRequest(parameters, true, caller), context) };
    },
  }),
);
