import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startBundle } from '../support/bundle.ts';
import { post } from '../support/http.ts';
import { createWorld, smallPages, type World } from '../support/world.ts';

const folder = mkdtempSync(join(tmpdir(), 'copy-'));
let world: World;
let spoils = false;
const spoilt = Promise.withResolvers<void>();

// CopyData (PostgreSQL manual, "Message Formats") with a line that is no row of `incoming`.
const text = Buffer.from('not a number\n');
const length = Buffer.alloc(4);
length.writeInt32BE(4 + text.length);
const badLine = Buffer.concat([Buffer.from('d'), length, text]);

/** The database at a Unix socket, whose buffers are small, and slow to take a batch that it refuses. */
const proxy = createServer((client) => {
  const { port, hostname } = new URL(world.database.url);
  const server = connect(Number(port), hostname);
  for (const [socket, other] of [
    [client, server],
    [server, client],
  ] as const) {
    socket.on('error', () => {});
    socket.once('close', () => other.destroy());
  }
  server.pipe(client);
  let copies = false;
  client.on('data', (chunk) => {
    const refuses = copies && spoils;
    copies ||= chunk.includes('copy pg_temp.incoming');
    if (refuses) {
      spoils = false;
      server.write(badLine);
      client.pause();
      client.once('close', spoilt.resolve);
      // The refusal is on its way to a client that is still writing.
      server.once('data', () => client.resume());
    }
    server.write(chunk);
  });
});

beforeAll(async () => {
  world = await createWorld({ ...smallPages, pageSize: 500, members: 6000 });
  await new Promise<void>((resolve) => proxy.listen(join(folder, '.s.PGSQL.5432'), resolve));
});
afterAll(() => {
  proxy.close();
  rmSync(folder, { recursive: true });
});

test('an error of the server in the middle of a batch fails the run, and not the process', async () => {
  const { username, password, pathname } = new URL(world.database.url);
  const { url, output } = await startBundle('syncScheduled', {
    ...world.settings,
    DJANGO_PAGE_SIZE: '500',
    DATABASE_URL: `postgresql://${username}:${password}@${pathname}?host=${folder}&port=5432`,
  });
  spoils = true;
  const refused = await post(url, {}).catch((error: Error) => error);
  expect({ refused, output: output() }).toMatchObject({
    refused: {
      status: 500,
      body: { error: { run_id: 1, code: 'internal_error' } },
    },
  });
  // Whatever it had not written yet has come or is given up when its connection is closed.
  await spoilt.promise;
  expect(await post(url, {})).toMatchObject({ body: { status: 'success', members_added: 6000 } });
});
