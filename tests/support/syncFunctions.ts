import { ADMIN_KEY } from './http.ts';
import { type Reply, request } from './testServer.ts';
import { createWorld } from './world.ts';

// The names that test files not yet moved to world.ts know.
export { ADMIN_KEY } from './http.ts';
export const asAdmin = { Authorization: `Bearer ${ADMIN_KEY}` };

/** A database and a register for functions, and their environment. */
export async function createSurroundings(members: number, pageSize = 100) {
  const settings = { DJANGO_TIMEOUT_MS: '2000' };
  const world = await createWorld({ members, pageSize, maxPageSize: pageSize, settings });
  return { database: world.database, django: world.django, env: world.settings };
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
