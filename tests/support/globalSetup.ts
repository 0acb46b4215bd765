import { randomBytes } from 'node:crypto';
import { startPostgres } from '../../local/postgres.ts';
import { migrate } from '../../migrations/migrate.ts';
import { onServer, SERVER_URL, TEMPLATE, withDatabase } from './server.ts';

/**
 * One PostgreSQL for all integration tests, with a migrated template that every test file copies.
 * TEST_DATABASE_URL, a superuser's or one that may create databases, uses that server instead;
 * TEST_POSTGRES names the npm package of another release.
 */
export default async function globalSetup(): Promise<void> {
  const own = process.env['TEST_DATABASE_URL'];
  const release = process.env['TEST_POSTGRES'];
  const postgres = own ? undefined : await startPostgres(release ? { package: release } : {});
  const url = own ?? postgres?.url ?? '';
  const template = `membership_sync_template_${randomBytes(4).toString('hex')}`;
  // The workers inherit the environment, and they start after this.
  process.env[SERVER_URL] = url;
  process.env[TEMPLATE] = template;
  globalThis.membershipSyncPostgres = postgres;

  await onServer(`create database ${template}`);
  await migrate(withDatabase(url, template));
}

declare global {
  var membershipSyncPostgres: Awaited<ReturnType<typeof startPostgres>> | undefined;
}
