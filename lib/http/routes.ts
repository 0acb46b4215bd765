/** Where a function answers, and by which methods. */
export interface Route {
  name: string;
  /** Its path locally and behind a gateway; `/` and `/<name>` always work too. */
  path: string;
  methods: readonly string[];
}

/** The routes of all functions: what they accept, what is served locally, and what openapi.json says. */
export const routes = {
  syncScheduled: { name: 'syncScheduled', path: '/sync', methods: ['POST'] },
  syncDryRun: { name: 'syncDryRun', path: '/sync/dry-run', methods: ['POST'] },
  syncStatus: { name: 'syncStatus', path: '/sync/status', methods: ['GET', 'POST'] },
  syncLogs: { name: 'syncLogs', path: '/sync/logs', methods: ['GET', 'POST'] },
  syncAdmin: { name: 'syncAdmin', path: '/admin', methods: ['GET', 'POST'] },
  health: { name: 'health', path: '/health', methods: ['GET'] },
} as const satisfies Record<string, Route>;
