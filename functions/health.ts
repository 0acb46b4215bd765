import { http } from '@google-cloud/functions-framework';
import { routes } from '../lib/http/request.ts';
import { serve } from '../lib/http/serve.ts';
import { levelOf } from '../lib/log.ts';

// Public, and needs nothing: it says that this version can be started and called, even where the
// configuration is broken. What the sync is doing is for syncStatus to say.
http(
  routes.health.name,
  serve({
    ...routes.health,
    level: levelOf(process.env['LOG_LEVEL']),
    handle: async () => ({ body: { status: 'healthy', service: 'membership-sync' } }),
  }),
);
