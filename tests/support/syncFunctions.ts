import { createTestDatabase, type TestDatabase } from './database.ts';
import { startDjango } from './django.ts';
import type { Settings } from './sync.ts';
import { type Reply, request } from './testServer.ts';

export const ADMIN_KEY = 'sync-tests';
export const asAdmin = { Authorization: `Bearer ${ADMIN_KEY}` };

/** The environment of the functions between this database and this register. */
export const environmentOf = (
  database: TestDatabase,
  django: Awaited<ReturnType<typeof startDjango>>,
): Settings => ({
  DATABASE_URL: database.url,
  DJANGO_BASE_URL: django.url,
  DJANGO_API_KEY: django.behaviour.key,
  DJANGO_MAX_RETRIES: '0',
  DJANGO_TIMEOUT_MS: '2000',
  ADMIN_API_KEY: ADMIN_KEY,
});

/** A database and a register for functions, and their environment. */
export async function createSurroundings(members: number, pageSize = 100) {
  const [database, django] = await Promise.all([
    createTestDatabase(),
    startDjango({ members, pageSize, maxPageSize: pageSize }),
  ]);
  return { database, django, env: environmentOf(database, django) };
}

/** Posts JSON to a function as an admin. */
export const call = (url: string, body: unknown = {}, init: RequestInit = {}): Promise<Reply> =>
  request(url, {
    method: 'POST',
    body: JSON.stringify(body),
    ...init,
    headers: { 'Content-Type': 'application/json', ...asAdmin, ...init.headers },
  });

/** Gets from a function as an admin. */
export const get = (url: string): Promise<Reply> => request(url, { headers: asAdmin });
