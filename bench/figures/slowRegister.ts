import { startOurs } from '../support/contender.ts';
import { startRegister } from '../support/register.ts';

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
export async function measureSlowRegister(): Promise<SlowRegisterFigures> {
  const register = await startRegister(MEMBERS, { pageSize: PAGE_SIZE, latencyMs: LATENCY_MS });
  const ours = await startOurs(register.url, {
    DJANGO_PAGE_SIZE: String(PAGE_SIZE),
    DJANGO_CONCURRENCY: String(CONCURRENCY),
  });
  try {
    const started = performance.now();
    await ours.sync();
    const wallMs = performance.now() - started;
    const pages = Math.ceil(MEMBERS / PAGE_SIZE);
    const latencies = 1 + Math.ceil((pages - 1) / CONCURRENCY);
    return { wallMs, boundMs: latencies * LATENCY_MS };
  } finally {
    await ours.stop();
    register.stop();
  }
}
