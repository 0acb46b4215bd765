import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
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
  cpSync(join(root, 'dist/syncStatus'), folder, { recursive: true });
  return folder;
}

/** Loads the built function, which asks for its secret; tells whether V8 took the cache for that. */
async function usesCache(folder: string, ...flags: string[]): Promise<boolean> {
  const manager = await startSecretManager();
  manager.secrets['key'] = 'the-admin-key-of-the-function';
  const script = `
    const vm = require('node:vm');
    const { Script } = vm;
    vm.Script = function (...words) {
      const script = new Script(...words);
      if (words[1].filename === './secretClient.ts')
        console.log('took the cache: ' + (script.cachedDataRejected === false));
      return script;
    };
    require('./index.js');
    setTimeout(() => process.exit(), 1000);`;
  const env = {
    ...process.env,
    NODE_PATH: join(root, 'node_modules'),
    NODE_ENV: 'test',
    SECRET_MANAGER_EMULATOR_HOST: manager.host,
    DATABASE_URL: 'postgresql://u:p@127.0.0.1:1/db',
    ADMIN_API_KEY: 'sm://p/key',
  };
  const options = { cwd: folder, env };
  const { stdout } = await promisify(execFile)(node, [...flags, '-e', script], options);
  expect(manager.requests).toEqual(['/v1/projects/p/secrets/key/versions/latest:access']);
  // What the function logs comes on the same stream.
  return /^took the cache: (true|false)$/m.exec(stdout)?.[1] === 'true';
}

const cacheOf = (folder: string) =>
  join(folder, readdirSync(folder).find((name) => name.endsWith('.cache')) ?? 'none');

test('the Node.js that built it need not compile it, under the flags that deploy.sh sets either', async () => {
  expect(await usesCache(copyBuilt())).toBe(true);
  const flags = ['--max-semi-space-size=8', '--max-old-space-size=256', '--enable-source-maps'];
  expect(await usesCache(copyBuilt(), ...flags)).toBe(true);
});

test('without what V8 made of it, as for another version of Node.js, it is compiled', async () => {
  const folder = copyBuilt();
  rmSync(cacheOf(folder));
  expect(await usesCache(folder)).toBe(false);
});

test('under other flags, it is compiled', async () => {
  expect(await usesCache(copyBuilt(), '--stack-size=900')).toBe(false);
});

test('with a cache that is none, it is compiled', async () => {
  const folder = copyBuilt();
  writeFileSync(cacheOf(folder), 'garbage');
  expect(await usesCache(folder)).toBe(false);
});

test('the cache is named after the Node.js that it is for', () => {
  const { version, platform, arch } = process;
  expect(cacheOf(copyBuilt())).toMatch(
    new RegExp(`secretClient\\.${version}\\.${platform}\\.${arch}\\.cache$`),
  );
});
