import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import Module, { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Script } from 'node:vm';

/** What is cached: the client of Secret Manager, compiling which is half of what it costs to use. */
export const CACHED = './secretClient.ts';

/**
 * The name of the file beside a bundle: another Node.js than the one that built it finds none. The text of
 * this function is part of the bundle, so it uses nothing around it.
 */
export const cacheFile = ({ version, platform, arch }: NodeJS.Process) =>
  ['secretClient', version, platform, arch, 'cache'].join('.');

let compiled: Promise<Buffer> | undefined;

/**
 * Puts beside a bundle what V8 made of the text of the client when it read one secret, so that an instance
 * need not compile it again: 40 ms of a cold start of 290. Only the very Node.js that built it uses it,
 * and V8 itself refuses it under other flags; anywhere else the client is compiled as ever.
 */
export async function cacheClient(code: string, folder: string): Promise<void> {
  compiled ??= compile(code);
  await writeFile(join(folder, cacheFile(process)), await compiled);
}

// After a call, so that the functions that it needs are compiled: what only loading compiles is half.
async function compile(code: string): Promise<Buffer> {
  const script = new Script(Module.wrap(code), { filename: CACHED });
  const client: { exports: Partial<typeof import('./lib/secretClient.ts')> } = { exports: {} };
  script.runInThisContext()(client.exports, createRequire(import.meta.url), client);
  const server = createServer((_, response) => response.end('{"payload":{"data":"eA=="}}'));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const connected = await client.exports.connectSecretManager?.(`127.0.0.1:${port}`);
  await connected?.accessSecretVersion({ name: 'projects/p/secrets/s/versions/1' });
  server.close();
  server.closeAllConnections();
  return script.createCachedData();
}
