import pg from 'pg';
import { loadConfig } from '../../lib/config.ts';
import { isDatabaseUrl, parseDatabaseUrl } from '../../lib/databaseUrl.ts';

// Each would have a piece of its password taken for the host, or another password than the one that is meant.
test.each([
  'postgresql://odd:p@SECRET/w#r d?%é@127.0.0.1:55432/db',
  'postgresql://odd:p@SECRET@127.0.0.1/db',
  'postgresql://odd:p/SECRET@127.0.0.1/db',
  'postgresql://odd:p?SECRET@127.0.0.1/db',
  'postgresql://odd:p#SECRET@127.0.0.1/db',
  'postgresql://odd:SECRET#@127.0.0.1/db',
  'postgresql://odd:p SECRET@127.0.0.1/db',
  'postgresql://odd:p%SECRET@127.0.0.1/db',
  'postgresql://odd:SECRET%ff@127.0.0.1/db',
  'postgresql://odd:SECRET@127.0.0.1/db#x',
  'postgresql://odd:SECRET@127.0.0.1/db\r',
  'postgresql://odd:p@SECRET@/db?host=/cloudsql/p:r:i',
  'postgresql://odd:SECRET',
  'mysql://odd:SECRET@h/db',
])('%j is refused before anything connects, and nothing of it is repeated', async (url) => {
  const refusals = await Promise.allSettled([
    (async () => parseDatabaseUrl(url, pg.Client))(),
    (async () => loadConfig({ DATABASE_URL: url }, ['database']))(),
  ]);
  for (const refusal of refusals) {
    const { message } = (refusal as PromiseRejectedResult).reason;
    expect(message).toContain('DATABASE_URL must be a postgresql:// URL; in its user name and');
    expect(message).toContain('write @ as %40, / as %2F');
    expect(message).not.toMatch(/SECRET|odd|127/);
  }
});

test('what is encoded is taken as it is meant', () => {
  const password = 'p@ss/w#r d?%é:[]\\';
  const url = `postgresql://odd%40corp:${encodeURIComponent(password)}@db.example:5433/a?connect_timeout=5`;
  const { user, password: read, host, port } = new pg.Client(parseDatabaseUrl(url, pg.Client));
  expect([user, read, host, port]).toEqual(['odd@corp', password, 'db.example', 5433]);
});

test.each([
  'postgres://u@h/db',
  'postgresql:///db?host=/var/run/postgresql',
  'postgresql://u:p@/db?host=/cloudsql/my-project:europe-west2:members',
  'postgresql://u:p@[::1]:5432/db?sslmode=verify-full',
  'postgresql://u:p@h/db?sslmode=verify-ca&sslrootcert=base64:TUlJ+/==',
])('%s is one', (url) => {
  expect(isDatabaseUrl(url)).toBe(true);
});
