import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startSecretManager } from '../support/secretManager.ts';

const root = join(__dirname, '../..');
const node = join(root, 'node_modules/.bin/node');
const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

/** A copy of a built function to change. */
function copyBuilt(): string {
  const folder = mkdtempSync(join(tmpdir(), 'code-cache-'));
  folders.push(folder);
  cpSync(join(root, 'dist/syncScheduled'), folder, { recursive: true });
  return folder;
}

/** What the built client reads, in a process of its own; `cached` is whether V8 took the cache. */
async function readSecret(folder: string, ...flags: string[]) {
  const { host, secrets } = await startSecretManager();
  secrets['s'] = 'the value';
  const script = `
    const vm = require('node:vm');
    let cached = false;
    const { Script } = vm;
    vm.Script = function (...words) {
      const script = new Script(...words);
      cached = script.cachedDataRejected === false;
      return script;
    };
    require('./secretClient.js').connectSecretManager('${host}').then(async (client) => {
      const [{ payload }] = await client.accessSecretVersion({ name: 'projects/p/secrets/s/versions/1' });
      console.log(JSON.stringify({ value: String(payload.data), cached }));
      process.exit();
    });`;
  const { stdout } = await promisify(execFile)(node, [...flags, '-e', script], { cwd: folder });
  return JSON.parse(stdout);
}

test('the Node.js that built it need not compile it, under the flags that deploy.sh sets either', async () => {
  const read = await readSecret(copyBuilt(), '--max-semi-space-size=1', '--enable-source-maps');
  expect(read).toEqual({ value: 'the value', cached: true });
});

test('without what V8 made of it, it is compiled', async () => {
  const folder = copyBuilt();
  rmSync(join(folder, 'secretClient.code.cache'));
  expect(await readSecret(folder)).toEqual({ value: 'the value', cached: false });
});

test('under other flags, it is compiled', async () => {
  const read = await readSecret(copyBuilt(), '--stack-size=900');
  expect(read).toEqual({ value: 'the value', cached: false });
});

test('with a cache that is none, it is compiled', async () => {
  const folder = copyBuilt();
  writeFileSync(join(folder, 'secretClient.code.cache'), 'garbage');
  expect(await readSecret(folder)).toEqual({ value: 'the value', cached: false });
});

test('another version of Node.js does not look at it', async () => {
  const folder = copyBuilt();
  writeFileSync(
    join(folder, 'version.cjs'),
    "Object.defineProperty(process, 'version', { value: 'v24.99.0' });",
  );
  const read = await readSecret(folder, '--require', join(folder, 'version.cjs'));
  expect(read).toEqual({ value: 'the value', cached: false });
});
