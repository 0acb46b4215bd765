import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { type Postgres, type PostgresOptions, startPostgres } from '../../local/postgres.ts';
import { afterTests } from './cleanUp.ts';
import { runMigrations, type TestDatabase } from './database.ts';

export interface OwnServer {
  /** Migrated. Every query has a connection of its own, so none is left over from before a restart. */
  database: TestDatabase;
  restart: Postgres['restart'];
  /** What the server has logged since it was started last. */
  log(): Promise<string>;
}

/** A PostgreSQL for one test file alone, which may be restarted: it keeps what was committed, as a real one does. */
export async function startOwnServer(
  settings: NonNullable<PostgresOptions['settings']> = {},
): Promise<OwnServer> {
  const server = await startPostgres({ durable: true, inMemory: true, settings });
  afterTests(server.stop);
  await runMigrations(server.url);
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
    log: () => readFile(join(server.folder, 'server.log'), 'utf8'),
  };
}
