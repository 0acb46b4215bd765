import { http } from '@google-cloud/functions-framework';
import { serve } from '../lib/http/serve.ts';

// Public, and needs nothing: it says that this version can be started and called, even where the
// configuration is broken. What the sync is doing is for syncStatus to say.
http(
  'health',
  serve({
    name: 'health',
    path: '/health',
    methods: ['GET'],
    handle: async () => ({ body: { status: 'healthy', service: 'membership-sync' } }),
  }),
);
