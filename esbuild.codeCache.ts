import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import Module from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Script } from 'node:vm';

const target = [process.version, process.platform, process.arch].join(' ');

/**
 * Puts beside the Secret Manager client of a built function what V8 made of it when it read one secret, so
 * that an instance need not compile it again: 40 ms of a cold start of 290. Only the very Node.js that built it uses it, and
 * V8 itself refuses it under other flags; anywhere else the client is compiled as ever.
 */
export async function cacheCode(folder: string): Promise<void> {
  const file = join(folder, 'secretClient.js');
  if (!existsSync(file)) return;
  const code = await readFile(file, 'utf8');
  await writeFile(join(folder, 'secretClient.code.js'), code);
  await writeFile(join(folder, 'secretClient.code.cache'), await compiled(code, file));
  await writeFile(file, loader);
}

const loader = `'use strict';
const { existsSync, readFileSync } = require('node:fs');
const { wrap } = require('node:module');
const { Script } = require('node:vm');
const filename = require.resolve('./secretClient.code.js');
const cache = filename.replace(/js$/, 'cache');
const isTarget = [process.version, process.platform, process.arch].join(' ') === '${target}';
if (isTarget && existsSync(cache)) {
  const options = { filename, cachedData: readFileSync(cache) };
  const script = new Script(wrap(readFileSync(filename, 'utf8')), options);
  script.runInThisContext().call(exports, exports, require, module, filename, __dirname);
} else module.exports = require(filename);
`;

// After a call, so that the functions that it needs are compiled: what only loading compiles is half.
async function compiled(code: string, file: string): Promise<Buffer> {
  const script = new Script(Module.wrap(code), { filename: file });
  const client: { exports: Partial<typeof import('./lib/secretClient.ts')> } = { exports: {} };
  script.runInThisContext()(client.exports, Module.createRequire(file), client, file);
  const server = createServer((_, response) => response.end('{"payload":{"data":"eA=="}}'));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const connected = await client.exports.connectSecretManager?.(`127.0.0.1:${port}`);
  await connected?.accessSecretVersion({ name: 'projects/p/secrets/s/versions/1' });
  server.close();
  server.closeAllConnections();
  return script.createCachedData();
}
