import pg from 'pg';
import { isLoginRefused } from './databaseErrors.ts';
import type { Credential } from './secrets.ts';

/** Longest wait for a connection, in ms. */
const CONNECT_TIMEOUT_MS = 10_000;

/** What every connection of ours has in common, pooled or not. */
export const connectionOptions = (connectionString: string) => ({
  connectionString,
  application_name: 'membership-sync',
  connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  keepAlive: true,
});

async function connectWith(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client(connectionOptions(connectionString));
  // Without a listener a connection that dies while idle would end the process; the next query reports it.
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/**
 * Opens one connection that belongs to the caller, who ends it. A login that is refused is tried once
 * more with the secret read again, so that a rotated password does not fail a run. Throws what pg throws.
 */
export async function connect(credential: Credential): Promise<pg.Client> {
  try {
    return await connectWith(await credential.get());
  } catch (error) {
    if (!isLoginRefused(error)) throw error;
    const renewed = await credential.refresh();
    if (renewed === undefined) throw error;
    return connectWith(renewed);
  }
}

/** Runs `work` on a connection of its own and ends it, whatever happens. */
export async function withConnection<T>(
  credential: Credential,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = await connect(credential);
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Runs `work` in one transaction: all of it or none. */
export async function inTransaction<T>(client: pg.Client, work: () => Promise<T>): Promise<T> {
  await client.query('begin');
  try {
    const result = await work();
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
}
