import { http } from '@google-cloud/functions-framework';
import { endpoint } from '../lib/http/endpoint.ts';
import { routes } from '../lib/http/request.ts';
import { statusParameters } from './status/schema.ts';
import { readStatus } from './status/status.ts';
import { listWaiting } from './status/waiting.ts';

/** How old the last complete full run may be when an election opens, unless the caller says so. */
const DEFAULT_WITHIN_MINUTES = 60;

// Are the members in step, what goes on now, when is the next run due, and may an election open.
http(
  routes.syncStatus.name,
  endpoint({
    ...routes.syncStatus,
    needs: ['reader', 'sync'],
    parameters: statusParameters,
    answer: async ({ config, secrets, parameters }) => {
      const { list, skip, within_minutes: withinMinutes = DEFAULT_WITHIN_MINUTES } = parameters;
      const { SYNC_INTERVAL_MINUTES: intervalMinutes } = config.sync;
      const database = secrets.DATABASE_READER_URL;
      const status = await readStatus(database, { intervalMinutes, withinMinutes });
      if (list === undefined) return { body: status };
      return { body: { ...status, list: await listWaiting(database, list, skip) } };
    },
  }),
);
