import { type ChildProcess, spawn } from 'node:child_process';
import {
  appendFile,
  chmod,
  cp,
  mkdtemp,
  readdir,
  readFile,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../support/until.ts';

const root = join(import.meta.dirname, '../..');
const node = join(root, 'node_modules/.bin/node');

// `npm start` builds into dist/, which other tests are serving from: so it runs in a copy.
let home = '';
let clone = '';
let temporary = '';
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'membership-sync-test-'));
  clone = join(home, 'clone');
  temporary = await mkdtemp(join(home, 'tmp-'));
  // PostgreSQL runs as another user when we are root.
  await Promise.all([chmod(home, 0o755), chmod(temporary, 0o777)]);
  const sources = ['functions', 'lib', 'local', 'migrations', 'package.json', 'esbuild.config.ts'];
  await Promise.all(
    sources.map((name) => cp(join(root, name), join(clone, name), { recursive: true })),
  );
  await symlink(join(root, 'node_modules'), join(clone, 'node_modules'));
});
const children = new Set<ChildProcess>();
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await rm(home, { recursive: true, force: true });
});

interface Run {
  process: ChildProcess;
  output(): string;
  says(text: string): Promise<void>;
  ended: Promise<number | NodeJS.Signals | null>;
}

// In a process group of its own, as a shell starts it, with nothing set but what is given.
function start(args: string[] = [], env: Record<string, string> = {}): Run {
  const child = spawn(node, ['local/start.ts', ...args], {
    cwd: clone,
    detached: true,
    env: { PATH: process.env['PATH'], TMPDIR: temporary, PORT: '0', ...env },
  });
  children.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.once('close', (code, signal) => resolve(code ?? signal));
  });
  let over = false;
  void ended.then(() => {
    over = true;
  });
  const says = async (text: string) => {
    await until(() => over || output.includes(text), `"${text}"`, 55_000);
    if (!output.includes(text)) throw new Error(`It ended without "${text}":\n${output}`);
  };
  return { process: child, output: () => output, says, ended };
}

// Processes that were started from the copy or work in its temporary folder, and files that are left there.
async function remains(): Promise<string[]> {
  const processes = await Promise.all(
    (await readdir('/proc').catch(() => []))
      .filter((entry) => /^\d+$/.test(entry))
      .map((entry) => readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '')),
  );
  return [...processes.filter((line) => line.includes(home)), ...(await readdir(temporary))];
}

async function nothingRemains(): Promise<void> {
  expect(await remains()).toEqual([]);
}
const nothingRemainsSoon = () => until(async () => (await remains()).length === 0, 'its end');

test('one sync from nothing prints its result, exits with 0, and leaves nothing behind', async () => {
  const run = start(['--once']);
  expect([await run.ended, run.output()]).toEqual([
    0,
    expect.stringContaining('The sync ended with success'),
  ]);
  expect(run.output()).toMatch(/in Django +2200\n +added +2200\n/);
  await nothingRemains();
}, 60_000);

test('it serves until Ctrl-C, which leaves nothing behind', async () => {
  const run = start([], { MEMBERS: '50' });
  await run.says('Serving until Ctrl-C');
  const url = /(http:\/\/localhost:\d+)\/health/.exec(run.output())?.[1] ?? '';
  expect(await (await fetch(`${url}/health`)).json()).toMatchObject({ status: 'healthy' });
  for (const path of ['/nowhere', '//', '//sync', '/%', '/%zz']) {
    const unknown = await fetch(url + path);
    expect([path, unknown.status, await unknown.json()]).toEqual([
      path,
      404,
      { error: { code: 'not_found', message: expect.any(String) } },
    ]);
  }
  const key = /Bearer (local-\w+)/.exec(run.output())?.[1];
  const status = await fetch(`${url}/sync/status`, { headers: { Authorization: `Bearer ${key}` } });
  expect(await status.json()).toMatchObject({ status: 'ok', members: { active: 50 } });
  expect((await fetch(`${url}/sync/status`)).status).toBe(401);

  // A terminal sends it to the whole group.
  process.kill(-(run.process.pid ?? 0), 'SIGINT');
  expect(await run.ended).toBe(0);
  await nothingRemains();
}, 60_000);

test('Ctrl-C in the middle of the start leaves nothing behind either', async () => {
  const run = start();
  await run.says('Started an embedded PostgreSQL');
  process.kill(-(run.process.pid ?? 0), 'SIGINT');
  expect(await run.ended).toBe(130);
  await nothingRemainsSoon();
}, 60_000);

test('killed outright, it still leaves no process and no folder', async () => {
  const run = start([], { MEMBERS: '50' });
  await run.says('Running the first sync');
  run.process.kill('SIGKILL');
  expect(await run.ended).toBe('SIGKILL');
  await nothingRemainsSoon();
}, 60_000);

test('a mistake is told, and put right', async () => {
  const name = 'lib/log.ts';
  const file = join(clone, name);
  const text = await readFile(file, 'utf8');
  const run = start(['--watch'], { MEMBERS: '50' });
  await run.says('Watching for changes');
  await appendFile(file, 'export const = 1;');
  await run.says(`${name}:`);
  expect(run.output()).toContain('Expected identifier');
  expect(run.output()).not.toContain('Rebuilt');
  await writeFile(file, `${text}// changed`);
  await run.says('Rebuilt, and started anew');
  process.kill(-(run.process.pid ?? 0), 'SIGINT');
  expect(await run.ended).toBe(0);
  await writeFile(file, text);
  await nothingRemains();
}, 60_000);

test('a port that is taken ends it at once, with advice', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => other.once('listening', resolve));
  const address = other.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const run = start([], { PORT: String(port) });
  expect(await run.ended).toBe(1);
  expect(run.output()).toBe(
    `Port ${port} is taken by another process. Choose another one: PORT=${port + 1} npm start\n`,
  );
  await new Promise((resolve) => other.close(resolve));
});
