import { randomBytes } from 'node:crypto';
import { migrate } from '../../migrations/migrate.ts';
import { onServer, SERVER_URL, TEMPLATE, withDatabase } from './server.ts';

/** Makes a migrated database on that server, and has createTestDatabase copy it from now on. */
export async function createTemplate(url: string): Promise<void> {
  const template = `membership_sync_template_${randomBytes(4).toString('hex')}`;
  // The workers of jest inherit the environment, and they start after this.
  process.env[SERVER_URL] = url;
  process.env[TEMPLATE] = template;
  await onServer(`create database ${template}`);
  await migrate(withDatabase(url, template));
}
