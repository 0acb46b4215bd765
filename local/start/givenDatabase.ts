import type { Client } from 'pg';
import { connect, pendingMigrations } from '../../migrations/migrate.ts';
import type { StartFlags } from './arguments.ts';

const INSUFFICIENT_PRIVILEGE = '42501';

/** What a database that the user has given holds. */
export interface GivenDatabase {
  /** `members at db.example.is:5432`, without user and password. */
  name: string;
  /** The migrations that it lacks. */
  pending: string[];
  /** Whether anybody is in public.members. */
  hasMembers: boolean;
}

/** Looks at a database without changing anything. Throws when it cannot be reached or read. */
export async function inspectDatabase(url: string): Promise<GivenDatabase> {
  const client = await connect(url);
  try {
    await client.query('set default_transaction_read_only = on');
    return {
      name: `${client.database} at ${client.host}:${client.port}`,
      pending: await pendingMigrations(client).catch(noneToJudge),
      hasMembers: await hasMembers(client),
    };
  } finally {
    await client.end();
  }
}

// The role of the functions may have no right to the list, and then is not the one that migrates. Where a
// table is missing, the dry run says so.
function noneToJudge(error: { code?: string }): string[] {
  if (error.code === INSUFFICIENT_PRIVILEGE) return [];
  throw error;
}

async function hasMembers(client: Client): Promise<boolean> {
  // Where row security would hide rows from us, the question fails rather than find nobody.
  await client.query('set row_security = off');
  const table = await client.query(`select to_regclass('public.members') is not null as there`);
  if (!table.rows[0].there) return false;
  const { rows } = await client.query('select exists (select from public.members) as any');
  return rows[0].any;
}

/** Why `npm start` does not go on with that database, or undefined when it may. */
export function refusal(database: GivenDatabase, flags: StartFlags): string | undefined {
  if (flags.mock && database.hasMembers) {
    return `The database ${database.name} has members. --mock takes only an empty one, so nothing was done.`;
  }
  if (database.pending.length > 0 && !flags.migrate) {
    const list = database.pending.map((name) => `  ${name}`);
    return [
      `The database ${database.name} lacks these migrations:`,
      ...list,
      'Nothing was done. To apply them, add --migrate: npm start -- --migrate',
    ].join('\n');
  }
  return undefined;
}
