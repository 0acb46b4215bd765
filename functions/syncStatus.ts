import { http } from '@google-cloud/functions-framework';
import { endpoint } from '../lib/http/endpoint.ts';
import { readStatus } from '../lib/sync/status.ts';

// Is the register in step, what is going on now, and when is the next run due.
http(
  'syncStatus',
  endpoint({
    name: 'syncStatus',
    path: '/sync/status',
    methods: ['GET', 'POST'],
    needs: ['database', 'sync'],
    answer: async ({ config, secrets }) => ({
      body: await readStatus(secrets.DATABASE_URL, config.sync.SYNC_INTERVAL_MINUTES, new Date()),
    }),
  }),
);
