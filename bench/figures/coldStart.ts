import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { createBenchDatabase } from '../support/database.ts';
import { serveFunction } from '../support/servedFunction.ts';
import { dist, median } from '../support/stage.ts';

/** Times from the start of the process in ms, medians, by function. */
export type ColdStartFigures = Record<string, number>;

/**
 * Cold starts of the functions as deploy.sh sets them up, taking turns: identity from the platform, every
 * secret by reference. The small ones until their first answer; the two that sync until the first byte they
 * send towards their database.
 */
export async function measureColdStarts(server: string, rounds: number): Promise<ColdStartFigures> {
  const database = await createBenchDatabase(server);
  const manager = await fakeSecretManager(database.url);
  const samples: Record<string, number[]> = {};
  const empty = join(import.meta.dirname, '../support/emptyFunction');
  try {
    for (let round = 0; round < rounds; round++) {
      const starts: [string, () => Promise<number>][] = [
        ['empty', () => untilAnswer(empty, 'empty', {})],
        ['health', () => untilAnswer(dist('health'), 'health', {})],
        ['syncStatus', () => untilAnswer(dist('syncStatus'), 'syncStatus', manager.reading)],
        ['syncLogs', () => untilAnswer(dist('syncLogs'), 'syncLogs', manager.reading)],
        ['syncScheduled', () => untilWork('syncScheduled', manager)],
        ['syncDryRun', () => untilWork('syncDryRun', manager)],
      ];
      for (const [name, start] of starts) {
        samples[name] ??= [];
        samples[name].push(await start());
      }
    }
  } finally {
    manager.server.close();
    await database.drop();
  }
  return Object.fromEntries(
    Object.entries(samples).map(([name, values]) => [name, median(values)]),
  );
}

async function untilAnswer(
  source: string,
  target: string,
  environment: Record<string, string>,
): Promise<number> {
  const start = performance.now();
  const served = await serveFunction(source, target, environment);
  const response = await fetch(served.url, { headers: { authorization: `Bearer ${idToken}` } });
  await response.text();
  const time = performance.now() - start;
  await served.stop();
  if (!response.ok) throw new Error(`${target} answered ${response.status}`);
  return time;
}

async function untilWork(target: string, manager: SecretManager): Promise<number> {
  const start = performance.now();
  const work = manager.nextConnection();
  const served = await serveFunction(dist(target), target, manager.syncing);
  const headers = { authorization: `Bearer ${idToken}`, 'content-type': 'application/json' };
  const call = fetch(served.url, { method: 'POST', headers, body: '{}' }).catch(() => undefined);
  await work;
  const time = performance.now() - start;
  await served.stop();
  await call;
  return time;
}

// As it arrives from Cloud Run, which has checked it and taken the signature off.
const idToken = [
  { alg: 'RS256' },
  {
    iss: 'https://accounts.google.com',
    email: 'admin@example.is',
    email_verified: true,
    exp: 4_102_444_800,
  },
]
  .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
  .concat('SIGNATURE_REMOVED_BY_GOOGLE')
  .join('.');

interface SecretManager {
  server: Server;
  /** What deploy.sh sets for the functions that read, and for those that sync. */
  reading: Record<string, string>;
  syncing: Record<string, string>;
  /** Resolves when someone sends the first byte to the database that the secret names. */
  nextConnection(): Promise<void>;
}

async function fakeSecretManager(database: string): Promise<SecretManager> {
  let arrived: () => void = () => undefined;
  const databaseServer = createServer((socket) => {
    socket.once('data', () => arrived());
    socket.on('error', () => undefined);
  }).listen(0, '127.0.0.1');
  databaseServer.unref();
  await new Promise((resolve) => databaseServer.once('listening', resolve));
  const { port } = databaseServer.address() as AddressInfo;
  const values: Record<string, string> = {
    database,
    'listening-database': `postgresql://u:p@127.0.0.1:${port}/db`,
    django: 'a-key-of-the-register',
    notify: `whsec_${Buffer.alloc(32, 1).toString('base64')}`,
  };
  const server = createHttpServer((request, response) => {
    const name = /secrets\/([^/]+)\//.exec(request.url ?? '')?.[1] ?? '';
    const data = Buffer.from(values[name] ?? '').toString('base64');
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ name: 'projects/p/secrets/s/versions/1', payload: { data } }));
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port: managerPort } = server.address() as AddressInfo;
  const deployed = {
    AUTH_MODE: 'iam',
    ADMIN_API_KEY: '',
    GOOGLE_CLOUD_PROJECT: 'p',
    LOG_EXECUTION_ID: 'true',
    SECRET_MANAGER_EMULATOR_HOST: `127.0.0.1:${managerPort}`,
  };
  return {
    server,
    reading: { ...deployed, NODE_OPTIONS: '', DATABASE_URL: 'sm://p/database' },
    syncing: {
      ...deployed,
      DATABASE_URL: 'sm://p/listening-database',
      DJANGO_API_KEY: 'sm://p/django',
      DJANGO_BASE_URL: 'http://127.0.0.1:9',
      NOTIFY_SECRET: 'sm://p/notify',
      NOTIFY_URLS: 'https://elections.example.is/hook',
    },
    nextConnection: () =>
      new Promise((resolve) => {
        arrived = resolve;
      }),
  };
}
