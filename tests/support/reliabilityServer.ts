import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { type Postgres, startPostgres } from '../../local/postgres.ts';
import { afterTests } from './cleanUp.ts';
import type { TestDatabase } from './database.ts';

const root = join(import.meta.dirname, '../..');

/** A PostgreSQL for one test file alone, which may be restarted: it keeps what was committed, as a real one does. */
export async function startOwnServer(): Promise<{
  database: TestDatabase;
  restart: Postgres['restart'];
}> {
  const server = await startPostgres({ durable: true });
  afterTests(server.stop);
  const env = { PATH: process.env['PATH'], DATABASE_URL: server.url };
  const node = join(root, 'node_modules/.bin/node');
  await promisify(execFile)(node, [join(root, 'migrations/migrate.ts')], { env });
  // A connection for each query: none is left over from before a restart.
  const query: TestDatabase['query'] = async (sql, params) => {
    const client = new pg.Client(server.url);
    await client.connect();
    try {
      return (await client.query(sql, params)).rows;
    } finally {
      await client.end();
    }
  };
  return {
    database: { url: server.url, query, close: () => server.stop() },
    restart: (signal) => server.restart(signal),
  };
}
