import { readdir } from 'node:fs/promises';
import { type RunnerOption, runner } from 'node-pg-migrate';
import pg from 'pg';
import { asDatabaseUnavailable } from '../lib/databaseErrors.ts';
import { DATABASE_URL_FORM, isDatabaseUrl, parseDatabaseUrl } from '../lib/databaseUrl.ts';
import { readEnvFile } from '../local/envFile.ts';

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
    await refuseForeign(client);
    return await run(client, folder, log);
  } finally {
    await client.end();
  }
}

/**
 * Connects as the functions do, to migrate or to look. Throws an error that says where it tried, never with
 * which password.
 */
export async function connect(databaseUrl: string): Promise<pg.Client> {
  const client = new pg.Client({
    ...parseDatabaseUrl(databaseUrl, pg.Client),
    // That of the functions would be taken for a run.
    application_name: 'membership-sync migrate',
    connectionTimeoutMillis: 15_000,
  });
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
    const reason = cause instanceof Error ? cause.message : String(cause);
    if (!current) throw new Error(reason, { cause });
    const message = `Migration ${current} failed and was rolled back: ${reason}${placeIn(problem)}`;
    throw new Error(message, { cause });
  }
}

// The library prints all of the file, with a mark below the line that failed.
function placeIn(problem: string): string {
  const lines = problem.split('\n');
  const line = lines[lines.findIndex((text) => /^ *\^{4}/.test(text)) - 1];
  return line ? `\nIt failed at: ${line.trim()}` : '';
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

const COLUMNS =
  'id kennitala name email phone is_active added_at removed_at sync_source external_id metadata last_verified_at';

// A replica, and a table of the same name that is another service's: each would fail in the middle, in other words.
async function refuseForeign(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ reads_only: boolean; missing: string[] }>(
    `select current_setting('transaction_read_only')::boolean as reads_only, array(
       select c from unnest(string_to_array($1::text, ' ')) with ordinality as t (c, n)
       where to_regclass('public.members') is not null and not exists (
         select from pg_attribute
         where attrelid = to_regclass('public.members') and attname = c and not attisdropped)
       order by n
     ) as missing`,
    [COLUMNS],
  );
  const [{ reads_only: readsOnly, missing } = { reads_only: false, missing: [] }] = rows;
  if (readsOnly) {
    throw new Error(
      'The database may only be read: it is a replica, or default_transaction_read_only is on. Nothing was done.',
    );
  }
  if (missing.length === 0) return;
  throw new Error(
    `The table public.members is there and is not ours: it lacks ${missing.join(', ')}. ` +
      'Use a database of your own, or rename that table. Nothing was done.',
  );
}

// Says where we tried to connect, never with which password.
function unreachable(client: pg.Client, cause: unknown): string {
  const reason = cause instanceof AggregateError ? cause.errors[0] : cause;
  const message = reason instanceof Error ? reason.message : String(reason);
  const cure = asDatabaseUnavailable(cause)?.message;
  return [
    `Cannot connect to PostgreSQL at ${client.host}:${client.port}, database ${client.database}: ${message}`,
    ...(cure ? [cure] : []),
    'Check that it is running and that DATABASE_URL is right.',
  ].join('\n');
}

const USAGE = `Usage: npm run migrate

Applies the migrations that the database of DATABASE_URL does not have yet. The address is taken
from the environment, else from the file .env.`;

async function main(): Promise<void> {
  const [unknown] = process.argv.slice(2);
  if (unknown === '--help' || unknown === '-h') return console.log(USAGE);
  // What it is may be a password, so it is not repeated.
  if (unknown) throw new Error(`migrate takes no arguments.\n${USAGE}`);
  // Set to nothing is set as well, and then means no database at all.
  // Of .env nothing but the address counts: no other variable of it may decide what is migrated.
  const databaseUrl = process.env['DATABASE_URL'] ?? readEnvFile()['DATABASE_URL'];
  if (!databaseUrl) {
    throw new Error(
      'DATABASE_URL is missing. Example: DATABASE_URL=postgresql://user:password@127.0.0.1:5432/members npm run migrate',
    );
  }
  if (!isDatabaseUrl(databaseUrl)) throw new Error(`DATABASE_URL ${DATABASE_URL_FORM}`);
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
