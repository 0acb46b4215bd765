import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { type RunnerOption, runner } from 'node-pg-migrate';
import pg from 'pg';

const TABLE = 'membership_sync_migrations';
const MIGRATION = /^\d{3}_\w+\.sql$/;
// Any number will do as long as nobody else locks it; this one is "msync" in ASCII.
const LOCK = 470_088_773_219;

export interface MigrateOptions {
  /** Told about every migration that was applied. Silent by default. */
  log?: (line: string) => void;
  /** Where the NNN_name.sql files lie: this folder by default. */
  folder?: string;
}

/**
 * Applies the migrations that the database does not have yet, in order, each in a transaction of
 * its own, and returns their names. Two that start together wait for each other: the second finds
 * nothing to do. Throws, having changed nothing further, when the database cannot be reached, when
 * a migration fails, and when an applied one is missing here or an older one was slipped in.
 */
export async function migrate(
  databaseUrl: string,
  options: MigrateOptions = {},
): Promise<string[]> {
  const { log = () => {}, folder = import.meta.dirname } = options;
  const client = await connect(databaseUrl);
  try {
    // Blocks until a migration that runs elsewhere is done; the end of the session lets go of it.
    await client.query('select pg_advisory_lock($1::bigint)', [LOCK]);
    // A migration queueing behind a long transaction would make every reader of the table queue too.
    await client.query(`set lock_timeout = '10s'`);
    await refuseMissing(client, folder);
    return await run(client, folder, log);
  } finally {
    await client.end();
  }
}

/** Connects, to migrate or to look. Throws an error that says where it tried, never with which password. */
export async function connect(databaseUrl: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: 15_000 });
  // A lost connection also fails the query that is running, which is where it is reported.
  client.on('error', () => {});
  try {
    await client.connect();
    return client;
  } catch (cause) {
    throw new Error(unreachable(client, cause), { cause });
  }
}

/** Returns the names of the migrations that the database lacks, in order, and changes nothing. */
export async function pendingMigrations(client: pg.Client, folder = import.meta.dirname) {
  const files = (await readdir(folder)).filter((file) => MIGRATION.test(file)).sort();
  const applied = new Set((await appliedMigrations(client)).map((name) => `${name}.sql`));
  return files.filter((file) => !applied.has(file));
}

async function appliedMigrations(client: pg.Client): Promise<string[]> {
  const table = await client.query(`select to_regclass('public.${TABLE}') as name`);
  if (table.rows[0].name === null) return [];
  const { rows } = await client.query<{ name: string }>(`select name from public.${TABLE}`);
  return rows.map(({ name }) => name);
}

// node-pg-migrate names neither the file that failed nor the place: both come through its log.
async function run(client: pg.Client, folder: string, log: (line: string) => void) {
  let current = '';
  let problem = '';
  const logger: NonNullable<RunnerOption['logger']> = {
    info: (line: string) => {
      const next = /^### MIGRATION (\S+)/.exec(line)?.[1];
      if (next && current) log(`applied ${current}`);
      current = next ?? current;
    },
    warn: () => {},
    error: (line: string) => {
      problem = line;
    },
  };
  try {
    const applied = await runner({
      dbClient: client,
      dir: folder,
      ignorePattern: `(?!${MIGRATION.source}).*`,
      migrationsSchema: 'public',
      migrationsTable: TABLE,
      direction: 'up',
      checkOrder: true,
      singleTransaction: false,
      noLock: true,
      logger,
    });
    if (current) log(`applied ${current}`);
    return applied.map(({ name }) => name);
  } catch (cause) {
    const reason = problem || (cause instanceof Error ? cause.message : String(cause));
    throw new Error(
      current ? `Migration ${current} failed and was rolled back.\n${reason}` : reason,
      {
        cause,
      },
    );
  }
}

// The library's own check of the order does not see a file that is gone from the end of the list.
async function refuseMissing(client: pg.Client, folder: string): Promise<void> {
  const files = new Set(await readdir(folder));
  const applied = await appliedMigrations(client);
  const missing = applied.map((name) => `${name}.sql`).filter((file) => !files.has(file));
  if (missing.length === 0) return;
  throw new Error(
    `The database has migrations that are not here: ${missing.sort().join(', ')}. ` +
      'Is this an older version of the code?',
  );
}

// Says where we tried to connect, never with which password.
function unreachable(client: pg.Client, cause: unknown): string {
  const reason = cause instanceof AggregateError ? cause.errors[0] : cause;
  const message = reason instanceof Error ? reason.message : String(reason);
  return (
    `Cannot connect to PostgreSQL at ${client.host}:${client.port}, database ${client.database}: ${message}\n` +
    'Check that it is running and that DATABASE_URL is right. `npm start` needs neither: it brings its own.'
  );
}

const USAGE = `Usage: npm run migrate

Applies the migrations that the database of DATABASE_URL does not have yet. The address is taken
from the environment, else from the file .env.`;

// Of .env nothing but the address counts: no other variable of it may decide what is migrated.
async function addressOfEnvFile(): Promise<string | undefined> {
  const text = await readFile(join(import.meta.dirname, '../.env'), 'utf8').catch(() => '');
  return parseEnv(text)['DATABASE_URL'];
}

async function main(): Promise<void> {
  const [unknown] = process.argv.slice(2);
  if (unknown === '--help' || unknown === '-h') return console.log(USAGE);
  if (unknown) throw new Error(`migrate takes no "${unknown}".\n${USAGE}`);
  // Set to nothing is set as well, and then means no database at all.
  const databaseUrl = process.env['DATABASE_URL'] ?? (await addressOfEnvFile());
  if (!databaseUrl) {
    throw new Error(
      'DATABASE_URL is missing. Example: DATABASE_URL=postgresql://user:password@127.0.0.1:5432/members npm run migrate',
    );
  }
  if (!/^postgres(ql)?:\/\//.test(databaseUrl)) {
    throw new Error('DATABASE_URL must be a postgresql:// URL');
  }
  const applied = await migrate(databaseUrl, { log: console.log });
  if (applied.length === 0) console.log('nothing to apply');
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
