import { http } from '@google-cloud/functions-framework';
import { endpoint } from '../lib/http/endpoint.ts';
import { routes } from '../lib/http/routes.ts';
import { readLogs } from '../lib/sync/logs.ts';
import { logsParameters } from '../lib/sync/parameters.ts';

// The runs, newest first.
http(
  routes.syncLogs.name,
  endpoint({
    ...routes.syncLogs,
    needs: ['database'],
    parameters: logsParameters,
    answer: async ({ secrets, parameters }) => ({
      body: await readLogs(secrets.DATABASE_URL, parameters),
    }),
  }),
);
