import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { crc32c } from '../../lib/secretManager.ts';
import { afterTests } from './cleanUp.ts';

type Stored = string | { status: number; code: string } | 'damaged' | 'silent';

export interface FakeSecretManager {
  /** For SECRET_MANAGER_EMULATOR_HOST. */
  host: string;
  /** What each secret answers, by its name; a string is its value. */
  secrets: Record<string, Stored>;
  /** The path of each request so far. */
  requests: string[];
}

/** The REST interface of Secret Manager as far as reading goes, over real HTTP on a free port. */
export async function startSecretManager(): Promise<FakeSecretManager> {
  const fake: FakeSecretManager = { host: '', secrets: {}, requests: [] };
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://fake').pathname;
    fake.requests.push(path);
    const name = /\/secrets\/([^/]+)\/versions\/[^/]+:access$/.exec(path)?.[1] ?? '';
    answer(response, path, fake.secrets[name] ?? { status: 404, code: 'NOT_FOUND' });
  }).listen(0, '127.0.0.1');
  afterTests(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  fake.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return fake;
}

function answer(response: ServerResponse, path: string, stored: Stored): void {
  if (stored === 'silent') return;
  response.setHeader('Content-Type', 'application/json');
  if (typeof stored === 'object') {
    const { status, code } = stored;
    response.statusCode = status;
    response.end(JSON.stringify({ error: { code: status, message: 'refused', status: code } }));
    return;
  }
  const data = Buffer.from(stored);
  const checksum = stored === 'damaged' ? 1 : crc32c(data);
  const payload = { data: data.toString('base64'), dataCrc32c: String(checksum) };
  response.end(JSON.stringify({ name: path.replace(/^\/v1\/|:access$/g, ''), payload }));
}
