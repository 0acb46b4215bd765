import pg from 'pg';

/** Where globalSetup tells the test files about the server. */
export const SERVER_URL = 'MEMBERSHIP_SYNC_TEST_SERVER_URL';
export const TEMPLATE = 'MEMBERSHIP_SYNC_TEST_TEMPLATE';

/** The same server and user, another database. */
export function withDatabase(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}

/** Runs one statement on the test server, outside every test database (create and drop database). */
export async function onServer(sql: string): Promise<void> {
  const client = new pg.Client(process.env[SERVER_URL]);
  client.on('error', () => {});
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
