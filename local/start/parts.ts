import { startMockDjango } from '../mockDjango/startMockDjango.ts';
import { startPostgres } from '../postgres.ts';
import type { Resources } from './resources.ts';

// As a register across the internet answers; it also makes the progress visible.
const LATENCY_MS = 150;

/** DATABASE_URL, or a PostgreSQL of our own. */
export async function provideDatabase(resources: Resources) {
  const given = process.env['DATABASE_URL'];
  if (given) return { own: false, url: given };
  const postgres = await startPostgres();
  resources.add(postgres.stop);
  return { own: true, url: postgres.url };
}

/** The variables of the register at DJANGO_BASE_URL, or of a mock with 2,200 made-up members (MEMBERS: how many). */
export async function provideDjango(resources: Resources) {
  const given = process.env['DJANGO_BASE_URL'];
  if (given) return { own: false, url: given, variables: {} };
  const members = Number(process.env['MEMBERS'] || 2200);
  const mock = await startMockDjango({
    members,
    modifiedParam: process.env['DJANGO_MODIFIED_SINCE_PARAM'] ?? '',
    latencyMs: LATENCY_MS,
  });
  resources.add(mock.stop);
  const variables = {
    DJANGO_BASE_URL: mock.url,
    DJANGO_API_KEY: mock.behaviour.key,
    DJANGO_AUTH_SCHEME: mock.behaviour.scheme,
    DJANGO_MEMBERS_PATH: '',
    DJANGO_FIELD_MAP: '',
  };
  return { own: true, url: mock.url, members, key: mock.behaviour.key, variables };
}
