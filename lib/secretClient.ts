import { SecretManagerServiceClient } from '@google-cloud/secret-manager/build/src/v1/index.js';
import { PassThroughClient } from 'google-auth-library';

/**
 * A client of the real Secret Manager with the credentials of where it runs, or of a local fake of it at
 * `emulatorHost` (host:port) without any. Rejects when there are no credentials.
 */
export async function connectSecretManager(
  emulatorHost: string | undefined,
): Promise<SecretManagerServiceClient> {
  // REST rather than gRPC: the same transport as the fake's, and the quicker one to load.
  const client = new SecretManagerServiceClient({
    fallback: true,
    ...(emulatorHost ? emulated(emulatorHost) : {}),
  });
  // Without this a failure to find credentials is also an unhandled rejection, which ends the process.
  await client.initialize();
  return client;
}

function emulated(host: string) {
  const { hostname, port } = new URL(`http://${host}`);
  return {
    apiEndpoint: hostname,
    port: Number(port),
    protocol: 'http',
    authClient: new PassThroughClient(),
  };
}
