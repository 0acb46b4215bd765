import { type MockDjango, startMockDjango } from '../mockDjango/startMockDjango.ts';
import { startPostgres } from '../postgres.ts';
import type { Resources } from './resources.ts';

// As a register across the internet answers. It also makes the progress visible.
const LATENCY_MS = 150;

/** Starts a PostgreSQL that is thrown away at the end, and returns its address. */
export async function startOwnDatabase(resources: Resources): Promise<string> {
  const postgres = await startPostgres();
  resources.add(postgres.stop);
  return postgres.url;
}

/** Starts a register of that many made-up members. */
export async function startOwnRegister(members: number, resources: Resources): Promise<MockDjango> {
  const mock = await startMockDjango({
    members,
    modifiedParam: process.env['DJANGO_MODIFIED_SINCE_PARAM'] ?? '',
    latencyMs: LATENCY_MS,
  });
  resources.add(mock.stop);
  return mock;
}
