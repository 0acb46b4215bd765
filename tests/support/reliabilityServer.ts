import pg from 'pg';
import { type Postgres, startPostgres } from '../../local/postgres.ts';
import { afterTests } from './cleanUp.ts';
import { runMigrations, type TestDatabase } from './database.ts';

/** A PostgreSQL for one test file alone, which may be restarted: it keeps what was committed, as a real one does. */
export async function startOwnServer(): Promise<{
  database: TestDatabase;
  restart: Postgres['restart'];
}> {
  const server = await startPostgres({ durable: true });
  afterTests(server.stop);
  await runMigrations(server.url);
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
