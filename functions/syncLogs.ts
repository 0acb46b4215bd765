import { http } from '@google-cloud/functions-framework';
import { endpoint } from '../lib/http/endpoint.ts';
import { routes } from '../lib/http/request.ts';
import { toCsv } from './logs/csv.ts';
import { answerLogs } from './logs/logs.ts';
import { logsParameters } from './logs/schema.ts';

// The runs, the changes of one run, or one member and their history; newest first.
http(
  routes.syncLogs.name,
  endpoint({
    ...routes.syncLogs,
    needs: ['reader'],
    parameters: logsParameters,
    bodyOnly: ['kennitala'],
    answer: async ({ secrets, parameters, caller, log }) => {
      const { body, table } = await answerLogs(
        secrets.DATABASE_READER_URL,
        parameters,
        caller,
        log,
      );
      if (table === undefined) return { body };
      return { body: toCsv(table.columns, table.rows, parameters.language ?? 'is'), type: 'csv' };
    },
  }),
);
