import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterTests } from './cleanUp.ts';
import { bareEnvironment } from './commands.ts';
import { onServer, SERVER_URL, TEMPLATE, withDatabase } from './server.ts';
import { until } from './until.ts';

export type Row = Record<string, unknown>;
export interface TestDatabase {
  url: string;
  /** Runs a statement on a connection of its own pool and gives the rows. */
  query<R = Row>(sql: string, params?: unknown[]): Promise<R[]>;
  /** Ends the connections and drops the database. Done by itself after the last test of the file. */
  close(): Promise<void>;
}

/**
 * A database for this test file alone: all migrations applied, no rows. Call it in beforeAll, in a
 * test, or while the file loads; it removes itself after the last test.
 */
export function createTestDatabase(): Promise<TestDatabase> {
  return createDatabase(process.env[TEMPLATE]);
}

/** The same without any of our tables: for tests of the migrations, and of what is not UTF-8. */
export function createEmptyDatabase(encoding?: string): Promise<TestDatabase> {
  const other = ` encoding '${encoding}' locale_provider libc lc_collate 'C' lc_ctype 'C'`;
  return createDatabase(`template0${encoding === undefined ? '' : other}`);
}

async function createDatabase(template: string | undefined): Promise<TestDatabase> {
  const server = process.env[SERVER_URL];
  if (!server || !template) {
    throw new Error('No test server: run this file with `jest --selectProjects integration`');
  }
  const name = `membership_sync_test_${randomBytes(6).toString('hex')}`;
  await onServer(`create database ${name} template ${template}`);
  const url = withDatabase(server, name);
  const pool = new pg.Pool({ connectionString: url, max: 4 });
  // A test may stop the server or end our sessions; the query that needs one then says so.
  pool.on('error', () => {});
  let closed: Promise<void> | undefined;
  const close = () => {
    closed ??= pool.end().then(() => onServer(`drop database if exists ${name} with (force)`));
    return closed;
  };
  afterTests(close);
  return { url, close, query: async (sql, params) => (await pool.query(sql, params)).rows };
}

/** Every row of every public table as text, by table: two dumps are equal when nothing was written in between. */
export async function dump(url: string): Promise<Record<string, string[]>> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    await client.query('begin isolation level repeatable read read only');
    const tables = await client.query<{ name: string }>(
      `select format('%I', tablename) as name from pg_tables where schemaname = 'public' order by 1`,
    );
    const all: Record<string, string[]> = {};
    for (const { name } of tables.rows) {
      const rows = await client.query<{ line: string }>(
        `select to_jsonb(t)::text as line from public.${name} as t order by 1`,
      );
      all[name] = rows.rows.map(({ line }) => line);
    }
    return all;
  } finally {
    await client.end();
  }
}

/** The sessions of functions in the database that is asked. */
export const sessionsOfRuns = `select pid from pg_stat_activity
  where application_name = 'membership-sync' and datname = current_database()`;

/** Waits until no function has a session in the database. */
export const noSessionLeft = ({ query }: TestDatabase) =>
  until(async () => (await query(sessionsOfRuns)).length === 0);

const root = join(import.meta.dirname, '../..');

/** Applies all migrations to a database of a server that is not the tests' own. */
export async function runMigrations(databaseUrl: string): Promise<void> {
  // In a process of its own: what reads them is published as ES modules only, which jest cannot load.
  await promisify(execFile)(
    join(root, 'node_modules/.bin/node'),
    [join(root, 'migrations/migrate.ts')],
    { env: { ...bareEnvironment(), DATABASE_URL: databaseUrl } },
  );
}
