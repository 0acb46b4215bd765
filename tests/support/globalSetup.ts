import { startPostgres } from '../../local/postgres.ts';
import { openCompileCache } from './compileCache.ts';
import { createTemplate } from './template.ts';

/**
 * One PostgreSQL for all integration tests, with a migrated template that every test file copies.
 * TEST_DATABASE_URL, a superuser's or one that may create databases, uses that server instead;
 * TEST_POSTGRES names the npm package of another release.
 */
export default async function globalSetup(): Promise<void> {
  const cached = openCompileCache();
  const own = process.env['TEST_DATABASE_URL'];
  const release = process.env['TEST_POSTGRES'];
  const postgres = own
    ? undefined
    : await startPostgres({ inMemory: true, ...(release ? { package: release } : {}) });
  globalThis.membershipSyncPostgres = postgres;
  await createTemplate(own ?? postgres?.url ?? '');
  await cached;
}

declare global {
  var membershipSyncPostgres: Awaited<ReturnType<typeof startPostgres>> | undefined;
}
