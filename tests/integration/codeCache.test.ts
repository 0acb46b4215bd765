import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { startSecretManager } from '../support/secretManager.ts';

const root = join(__dirname, '../..');
const node = join(root, 'node_modules/.bin/node');
const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'code-cache-'));
  folders.push(folder);
  return folder;
}

/** A copy of a built function to change. */
function copyBuilt(): string {
  const folder = newFolder();
  cpSync(join(root, 'dist/syncStatus'), folder, { recursive: true });
  return folder;
}

/**
 * Loads the built function, which asks for its secret; tells whether V8 took the cache for that, and the
 * SHA-256 of the text that was to be compiled.
 */
async function load(folder: string, ...flags: string[]) {
  const manager = await startSecretManager();
  manager.secrets['key'] = 'the-admin-key-of-the-function';
  const script = `
    const vm = require('node:vm');
    const { Script } = vm;
    vm.Script = function (...words) {
      const script = new Script(...words);
      if (words[1].filename === './secretClient.ts') {
        const [before, after] = require('node:module').wrapper;
        const text = words[0].slice(before.length, words[0].length - after.length);
        const digest = require('node:crypto').createHash('sha256').update(text).digest('hex');
        console.log('loaded ' + digest + ' from the cache: ' + (script.cachedDataRejected === false));
      }
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
  const [, digest, cached] = /^loaded (\w+) from the cache: (true|false)$/m.exec(stdout) ?? [];
  return { digest, cached: cached === 'true' };
}

const cacheOf = (folder: string) =>
  join(folder, readdirSync(folder).find((name) => name.endsWith('.cache')) ?? 'none');

test('the Node.js that built it need not compile it, under the flags that deploy.sh sets either', async () => {
  expect(await load(copyBuilt())).toMatchObject({ cached: true });
  const flags = ['--max-semi-space-size=8', '--max-old-space-size=256', '--enable-source-maps'];
  expect(await load(copyBuilt(), ...flags)).toMatchObject({ cached: true });
});

test('without what V8 made of it, as for another version of Node.js, it is compiled', async () => {
  const folder = copyBuilt();
  rmSync(cacheOf(folder));
  expect(await load(folder)).toMatchObject({ cached: false });
});

test('under other flags, it is compiled', async () => {
  expect(await load(copyBuilt(), '--stack-size=900')).toMatchObject({ cached: false });
});

test('with a cache that is none, it is compiled', async () => {
  const folder = copyBuilt();
  writeFileSync(cacheOf(folder), 'garbage');
  expect(await load(folder)).toMatchObject({ cached: false });
});

test('the cache is named after the text and the Node.js that it is for: V8 does not compare texts', async () => {
  const { version, platform, arch } = process;
  const folder = copyBuilt();
  const { digest } = await load(folder);
  expect(basename(cacheOf(folder))).toBe(
    `secretClient.${digest?.slice(0, 16)}.${version}.${platform}.${arch}.cache`,
  );
});

test('a client that cannot be tried at the build is built without a cache, and that is said', async () => {
  const folder = newFolder();
  const script = `
    import { cacheClient } from './esbuild.codeCache.ts';
    await cacheClient('throw new Error("no loopback")', ${JSON.stringify(folder)});`;
  const options = ['--input-type=module', '-e', script];
  const { stderr } = await promisify(execFile)(node, options, { cwd: root });
  expect(stderr).toContain('No code cache for the Secret Manager client');
  expect(stderr).toContain('no loopback');
  expect(readdirSync(folder)).toEqual([]);
});
