import { createBenchDatabase } from '../support/database.ts';
import { startRegister } from '../support/register.ts';
import { serveFunction } from '../support/servedFunction.ts';
import { clock, dist } from '../support/stage.ts';

export interface SlowRegisterFigures {
  wallMs: number;
  /** The first page alone, then the others as many at once as allowed: no reader can be faster. */
  boundMs: number;
}

const MEMBERS = 2174;
const PAGE_SIZE = 100;
const LATENCY_MS = 1800;
const CONCURRENCY = 4;

/** The organisation's own register: 22 pages of 100 members with 1.8 s for each answer. */
export async function measureSlowRegister(server: string): Promise<SlowRegisterFigures> {
  const register = await startRegister(MEMBERS, { pageSize: PAGE_SIZE, latencyMs: LATENCY_MS });
  const database = await createBenchDatabase(server);
  const served = await serveFunction(dist('syncScheduled'), 'syncScheduled', {
    DATABASE_URL: database.url,
    DJANGO_BASE_URL: register.url,
    DJANGO_API_KEY: 'any',
    DJANGO_PAGE_SIZE: String(PAGE_SIZE),
    DJANGO_CONCURRENCY: String(CONCURRENCY),
  });
  try {
    const wallMs = await clock(() => served.call());
    const pages = Math.ceil(MEMBERS / PAGE_SIZE);
    const latencies = 1 + Math.ceil((pages - 1) / CONCURRENCY);
    return { wallMs, boundMs: latencies * LATENCY_MS };
  } finally {
    await served.stop();
    await database.drop();
    register.stop();
  }
}
