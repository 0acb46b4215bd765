import { http } from '@google-cloud/functions-framework';
import { endpoint } from '../lib/http/endpoint.ts';
import { readLogs } from '../lib/sync/logs.ts';
import { logsParameters } from '../lib/sync/parameters.ts';

// The runs, newest first.
http(
  'syncLogs',
  endpoint({
    name: 'syncLogs',
    path: '/sync/logs',
    methods: ['GET', 'POST'],
    needs: ['database'],
    parameters: logsParameters,
    answer: async ({ secrets, parameters }) => ({
      body: await readLogs(secrets.DATABASE_URL, parameters),
    }),
  }),
);
