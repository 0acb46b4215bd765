import { generateKeyPairSync, sign } from 'node:crypto';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { startBundle } from '../../tests/support/bundle.ts';
import { createTestDatabase } from '../../tests/support/database.ts';
import { request } from '../../tests/support/http.ts';
import { startSecretManager } from '../../tests/support/secretManager.ts';
import { asDeployed } from '../support/contender.ts';
import { median } from '../support/usage.ts';

/** Times from the start of the process in ms, medians, by function. */
export type ColdStartFigures = Record<string, number>;

/**
 * Cold starts of the functions as deploy.sh sets them up, taking turns: identity from the platform, every
 * secret by reference. The small ones until their first answer; the two that sync until the first byte they
 * send towards their database.
 */
export async function measureColdStarts(rounds: number): Promise<ColdStartFigures> {
  const database = await createTestDatabase();
  const platform = await standIn(database.url);
  const samples: Record<string, number[]> = {};
  const empty = join(import.meta.dirname, '../support/emptyFunction');
  for (let round = 0; round < rounds; round++) {
    const starts: [string, () => Promise<number>][] = [
      ['empty', () => untilAnswer('empty', {}, { source: empty })],
      ['health', () => untilAnswer('health', {})],
      ['syncStatus', () => untilAnswer('syncStatus', platform.reading)],
      ['syncLogs', () => untilAnswer('syncLogs', platform.reading)],
      ['syncAdmin', () => untilAnswer('syncAdmin', platform.showing, { headers: platform.person })],
      ['syncScheduled', () => untilWork('syncScheduled', platform)],
      ['syncDryRun', () => untilWork('syncDryRun', platform)],
    ];
    for (const [name, start] of starts) samples[name] = [...(samples[name] ?? []), await start()];
  }
  await database.close();
  return Object.fromEntries(
    Object.entries(samples).map(([name, values]) => [name, median(values)]),
  );
}

interface Asking {
  source?: string;
  headers?: Record<string, string>;
}

async function untilAnswer(
  target: string,
  settings: Record<string, string>,
  { source, headers = { authorization: `Bearer ${idToken}` } }: Asking = {},
): Promise<number> {
  const started = performance.now();
  const bundle = await startBundle(target, { ...asDeployed, ...settings }, source);
  const { status } = await request(bundle.url, { headers });
  const time = performance.now() - started;
  await bundle.stop();
  if (status !== 200) throw new Error(`${target} answered ${status}`);
  return time;
}

async function untilWork(target: string, platform: Platform): Promise<number> {
  const started = performance.now();
  const work = platform.nextConnection();
  const bundle = await startBundle(target, { ...asDeployed, ...platform.syncing });
  const headers = { authorization: `Bearer ${idToken}`, 'content-type': 'application/json' };
  const call = request(bundle.url, { method: 'POST', headers, body: '{}' }).catch(() => undefined);
  await work;
  const time = performance.now() - started;
  await bundle.stop();
  await call;
  return time;
}

const tokenOf = (...parts: object[]) =>
  parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');

const admin = { email: 'admin@example.is', exp: 4_102_444_800 };
// As it arrives from Cloud Run, which has checked it and taken the signature off.
const idToken = `${tokenOf(
  { alg: 'RS256' },
  { ...admin, iss: 'https://accounts.google.com', email_verified: true },
)}.SIGNATURE_REMOVED_BY_GOOGLE`;

interface Platform {
  /** What deploy.sh sets for the functions that read, and for those that sync. */
  reading: Record<string, string>;
  syncing: Record<string, string>;
  /** The same for the page, and the header of a person whom Identity-Aware Proxy has let in. */
  showing: Record<string, string>;
  person: Record<string, string>;
  /** Resolves when someone sends the first byte to the database that the secret names. */
  nextConnection(): Promise<void>;
}

async function standIn(database: string): Promise<Platform> {
  let arrived: () => void = () => undefined;
  const server = createServer((socket) => {
    socket.once('data', () => arrived());
    socket.on('error', () => undefined);
  }).listen(0, '127.0.0.1');
  server.unref();
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  const manager = await startSecretManager();
  manager.secrets = {
    database,
    'listening-database': `postgresql://u:p@127.0.0.1:${port}/db`,
    django: 'a-key-of-the-register',
    notify: `whsec_${Buffer.alloc(32, 1).toString('base64')}`,
  };
  const deployed = {
    AUTH_MODE: 'iam',
    ADMIN_API_KEY: '',
    GOOGLE_CLOUD_PROJECT: 'p',
    LOG_EXECUTION_ID: 'true',
    SECRET_MANAGER_EMULATOR_HOST: manager.host,
  };
  const reading = { ...deployed, NODE_OPTIONS: '', DATABASE_URL: 'sm://p/database' };
  const proxy = await standInForProxy();
  return {
    reading,
    showing: {
      ...reading,
      // In production the keys are Google's, which are not on this machine.
      NODE_ENV: 'staging',
      AUTH_MODE: 'iap',
      AUTH_AUDIENCE: audience,
      AUTH_CERTS_URL: proxy.keys,
      ADMIN_VIEWERS: admin.email,
      SYNC_URL: 'https://functions.example.is/syncScheduled',
      SYNC_DRY_RUN_URL: 'https://functions.example.is/syncDryRun',
    },
    person: { 'x-goog-iap-jwt-assertion': proxy.assertion },
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

const audience = '/projects/12/locations/europe-west2/services/syncadmin';

// Identity-Aware Proxy signs each request, and the page fetches its keys.
async function standInForProxy(): Promise<{ keys: string; assertion: string }> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const keys = JSON.stringify({ one: publicKey.export({ type: 'spki', format: 'pem' }) });
  const server = createHttpServer((_request, response) => {
    response.setHeader('Content-Type', 'application/json').end(keys);
  }).listen(0, '127.0.0.1');
  server.unref();
  await new Promise((resolve) => server.once('listening', resolve));
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    ...admin,
    iss: 'https://cloud.google.com/iap',
    aud: audience,
    iat: now,
    exp: now + 3600,
  };
  const signed = tokenOf({ alg: 'ES256', kid: 'one' }, claims);
  const signature = sign('sha256', Buffer.from(signed), {
    key: privateKey,
    dsaEncoding: 'ieee-p1363',
  });
  return {
    keys: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    assertion: `${signed}.${signature.toString('base64url')}`,
  };
}
