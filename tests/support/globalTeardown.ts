import { closeCompileCache } from './compileCache.ts';
import { onServer, TEMPLATE } from './server.ts';

/** Leaves nothing behind: our own server is stopped and its files removed, a given one loses the template. */
export default async function globalTeardown(): Promise<void> {
  await closeCompileCache();
  const postgres = globalThis.membershipSyncPostgres;
  if (postgres) {
    await postgres.stop();
  } else await onServer(`drop database if exists ${process.env[TEMPLATE]} with (force)`);
}
