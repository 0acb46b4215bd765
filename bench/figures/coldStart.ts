import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { createBenchDatabase } from '../support/database.ts';
import { ADMIN_KEY, serveFunction } from '../support/servedFunction.ts';
import { dist, median } from '../support/stage.ts';

/** Times from the start of the process in ms, medians. */
export type ColdStartFigures = Record<
  'empty' | 'health' | 'syncStatus' | 'syncLogs' | 'syncScheduled' | 'syncDryRun',
  number
>;

/**
 * Cold starts, the functions taking turns. The small ones until their first answer; the two that sync
 * until the first byte they send towards their database, with every secret from a Secret Manager.
 */
export async function measureColdStarts(server: string, rounds: number): Promise<ColdStartFigures> {
  const database = await createBenchDatabase(server);
  const manager = await fakeSecretManager();
  const samples: Record<string, number[]> = {};
  const small = { DATABASE_URL: database.url };
  try {
    for (let round = 0; round < rounds; round++) {
      const starts: [string, () => Promise<number>][] = [
        [
          'empty',
          () => untilAnswer(join(import.meta.dirname, '../support/emptyFunction'), 'empty', {}),
        ],
        ['health', () => untilAnswer(dist('health'), 'health', {})],
        ['syncStatus', () => untilAnswer(dist('syncStatus'), 'syncStatus', small)],
        ['syncLogs', () => untilAnswer(dist('syncLogs'), 'syncLogs', small)],
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
  ) as ColdStartFigures;
}

async function untilAnswer(
  source: string,
  target: string,
  environment: Record<string, string>,
): Promise<number> {
  const start = performance.now();
  const served = await serveFunction(source, target, environment);
  const response = await fetch(served.url, { headers: { authorization: `Bearer ${ADMIN_KEY}` } });
  await response.text();
  const time = performance.now() - start;
  await served.stop();
  if (!response.ok) throw new Error(`${target} answered ${response.status}`);
  return time;
}

async function untilWork(target: string, manager: SecretManager): Promise<number> {
  const start = performance.now();
  const work = manager.nextConnection();
  const served = await serveFunction(dist(target), target, manager.environment);
  const call = served.call().catch(() => undefined);
  await work;
  const time = performance.now() - start;
  await served.stop();
  await call;
  return time;
}

interface SecretManager {
  server: Server;
  environment: Record<string, string>;
  /** Resolves when someone sends the first byte to the database that the secret names. */
  nextConnection(): Promise<void>;
}

async function fakeSecretManager(): Promise<SecretManager> {
  let arrived: () => void = () => undefined;
  const databaseServer = createServer((socket) => {
    socket.once('data', () => arrived());
    socket.on('error', () => undefined);
  }).listen(0, '127.0.0.1');
  databaseServer.unref();
  await new Promise((resolve) => databaseServer.once('listening', resolve));
  const { port } = databaseServer.address() as AddressInfo;
  const values: Record<string, string> = {
    database: `postgresql://u:p@127.0.0.1:${port}/db`,
    django: 'a-key-of-the-register',
    admin: ADMIN_KEY,
  };
  const server = createHttpServer((request, response) => {
    const name = /secrets\/([^/]+)\//.exec(request.url ?? '')?.[1] ?? '';
    const data = Buffer.from(values[name] ?? '').toString('base64');
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ name: 'projects/p/secrets/s/versions/1', payload: { data } }));
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port: managerPort } = server.address() as AddressInfo;
  return {
    server,
    environment: {
      SECRET_MANAGER_EMULATOR_HOST: `127.0.0.1:${managerPort}`,
      DATABASE_URL: 'sm://p/database',
      DJANGO_API_KEY: 'sm://p/django',
      ADMIN_API_KEY: 'sm://p/admin',
      DJANGO_BASE_URL: 'http://127.0.0.1:9',
    },
    nextConnection: () =>
      new Promise((resolve) => {
        arrived = resolve;
      }),
  };
}
