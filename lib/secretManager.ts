import type { SecretManagerServiceClient } from '@google-cloud/secret-manager/build/src/v1/index.js';

/** Fetches one secret version by its resource name. Rejects with the reason, which never holds the value. */
export type FetchSecret = (versionName: string) => Promise<string>;

/** For everything together: loading the library, finding credentials, the call. */
const DEADLINE_MS = 5_000;

/**
 * A fetcher on the real Secret Manager, or on a local fake of it at `emulatorHost` (host:port).
 * The library is loaded with the first secret asked for; after a failure the next call starts over.
 */
export function createSecretFetcher(emulatorHost?: string): FetchSecret {
  let client: ReturnType<typeof connect> | undefined;
  const fetch = async (versionName: string) => {
    client ??= connect(emulatorHost);
    const [version] = await (await client).accessSecretVersion(
      { name: versionName },
      { timeout: DEADLINE_MS },
    );
    return decode(version.payload?.data, version.payload?.dataCrc32c);
  };
  return async (versionName) => {
    try {
      return await withDeadline(fetch(versionName));
    } catch (error) {
      client = undefined;
      throw error;
    }
  };
}

// Rejects when there are no credentials.
async function connect(emulatorHost: string | undefined): Promise<SecretManagerServiceClient> {
  // Of Google's index, which would load every version of the API, only the one that is used.
  const { SecretManagerServiceClient } = await import(
    '@google-cloud/secret-manager/build/src/v1/index.js'
  );
  // REST rather than gRPC: the same transport as the fake's, and the quicker one to load.
  const emulated = emulatorHost ? await atEmulator(emulatorHost) : {};
  const client = new SecretManagerServiceClient({ fallback: true, ...emulated });
  // Without this a failure to find credentials is also an unhandled rejection, which ends the process.
  await client.initialize();
  return client;
}

async function atEmulator(host: string) {
  const { PassThroughClient } = await import('google-auth-library');
  const { hostname, port } = new URL(`http://${host}`);
  return {
    apiEndpoint: hostname,
    port: Number(port),
    protocol: 'http',
    authClient: new PassThroughClient(),
  };
}

function decode(data: Uint8Array | string | null | undefined, checksum: unknown): string {
  if (!(data instanceof Uint8Array)) throw new Error('the secret has no value');
  if (checksum !== undefined && checksum !== null && Number(checksum) !== crc32c(data)) {
    throw new Error('the value was damaged on its way (checksum)');
  }
  return new TextDecoder('utf-8', { fatal: true }).decode(data);
}

function withDeadline<T>(promise: Promise<T>): Promise<T> {
  const { promise: expired, reject } = Promise.withResolvers<never>();
  const error = new Error(`no answer within ${DEADLINE_MS / 1000} seconds`);
  const timer = setTimeout(() => reject(error), DEADLINE_MS).unref();
  return Promise.race([promise, expired]).finally(() => clearTimeout(timer));
}

// Castagnoli's polynomial, reflected: the checksum that Secret Manager sends with a value.
const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc;
});

/** CRC-32C of some bytes, as an unsigned number. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (table[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
