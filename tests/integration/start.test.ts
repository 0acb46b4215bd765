import { existsSync } from 'node:fs';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type Clone, createClone } from '../support/clone.ts';

// Half a dozen processes a test, on a machine that runs other tests beside.
jest.setTimeout(180_000);

let clone: Clone;
beforeAll(async () => {
  clone = await createClone();
});

test('one sync from nothing prints its result, exits with 0, and leaves nothing behind', async () => {
  const run = clone.start(['--once']);
  expect([await run.ended, run.output()]).toEqual([
    0,
    expect.stringContaining('The sync ended with success'),
  ]);
  expect(run.output()).toMatch(/in Django +2200\n +added +2200\n/);
  await clone.nothingRemains();
});

test('it serves until Ctrl-C, which leaves nothing behind', async () => {
  const run = clone.start([], { MEMBERS: '50' });
  await run.says('Serving until Ctrl-C');
  const url = /URL=(http:\/\/127\.0\.0\.1:\d+)/.exec(run.output())?.[1] ?? '';
  const health = await fetch(`${url}/health`);
  expect(await health.json()).toMatchObject({ status: 'healthy' });
  for (const path of ['/nowhere', '//', '//sync', '/%', '/%zz']) {
    const unknown = await fetch(url + path);
    expect([path, unknown.status, await unknown.json()]).toEqual([
      path,
      404,
      { error: { code: 'not_found', message: expect.any(String) } },
    ]);
  }
  // A server that listens everywhere answers here too.
  await expect(fetch(url.replace('127.0.0.1', '127.0.0.2'))).rejects.toThrow('fetch failed');
  const key = /KEY=(local-\w+)/.exec(run.output())?.[1];
  const status = await fetch(`${url}/sync/status`, {
    headers: { Authorization: `Bearer ${key}` },
  });
  expect(await status.json()).toMatchObject({ status: 'ok', members: { active: 50 } });
  expect((await fetch(`${url}/sync/status`)).status).toBe(401);
  const page = /The admin's page, which asks for KEY once: (\S+)/.exec(run.output())?.[1] ?? '';
  const signIn = await fetch(`${page}?do=signIn`, {
    method: 'POST',
    redirect: 'manual',
    headers: { 'Sec-Fetch-Site': 'same-origin' },
    body: new URLSearchParams({ key: key ?? '' }),
  });
  await signIn.text();
  const cookie = signIn.headers.get('set-cookie')?.split(';')[0] ?? '';
  expect(await (await fetch(page, { headers: { cookie } })).text()).toContain('50 mega kjósa.');

  run.interrupt();
  expect(await run.ended).toBe(0);
  expect(run.output()).toMatch(/\nStopped\.\n$/);
  await clone.nothingRemains();
});

test.each([
  'Started an embedded PostgreSQL',
  'Building the functions',
  'Started a register',
  'Running the first sync',
])('Ctrl-C after "%s" says Stopped, nothing else, and leaves nothing behind', async (phase) => {
  const run = clone.start();
  await run.says(phase);
  run.interrupt();
  expect(await run.ended).toBe(130);
  const [, after = ''] = run.output().split(phase);
  expect(after).toMatch(/\nStopped\.\n$/);
  expect(run.output()).not.toMatch(/error|EPIPE|^ +at /im);
  await clone.nothingRemains();
});

test('a pipe that is closed ends it without a trace of that', async () => {
  const run = clone.run(
    'bash',
    ['-c', 'node_modules/.bin/node --import ./local/preload.mjs local/start.ts | head -n 2'],
    { PORT: '0', MEMBERS: '50' },
  );
  expect(await run.ended).toBe(0);
  expect(run.output().trimEnd().split('\n')).toHaveLength(2);
  await clone.nothingRemains();
});

test('killed outright, it still leaves no process and no folder', async () => {
  const run = clone.start([], { MEMBERS: '50' });
  await run.says('Running the first sync');
  run.process.kill('SIGKILL');
  expect(await run.ended).toBe('SIGKILL');
  await clone.nothingRemains();
});

test('a mistake in the code is reported while it is watched, and put right', async () => {
  const name = 'lib/log.ts';
  const file = join(clone.folder, name);
  const text = await readFile(file, 'utf8');
  const run = clone.start(['--watch'], { MEMBERS: '50' });
  await run.says('Watching for changes');
  await appendFile(file, 'export const = 1;');
  await run.says(`${name}:`);
  expect(run.output()).toContain('Expected identifier');
  expect(run.output()).not.toContain('Rebuilt');
  expect(existsSync(join(clone.folder, 'dist/syncScheduled/index.js'))).toBe(true);
  await writeFile(file, `${text}// changed`);
  await run.says('Rebuilt, and started anew');
  run.interrupt();
  expect(await run.ended).toBe(0);
  await writeFile(file, text);
  await clone.nothingRemains();
});

test('a port that is taken ends it at once, with advice', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => other.once('listening', resolve));
  const address = other.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const run = clone.start([], { PORT: String(port) });
  expect(await run.ended).toBe(1);
  expect(run.output()).toBe(
    `Port ${port} is taken by another process. Choose another one: PORT=${port + 1} npm start\n`,
  );
  await new Promise((resolve) => other.close(resolve));
});

test('--help explains it, and starts nothing', async () => {
  const run = clone.start(['--help']);
  expect(await run.ended).toBe(0);
  expect(run.output()).toMatch(/^Usage: npm start/);
});

test('what cannot be meant is refused in a sentence before anything is started', async () => {
  const refusals: [args: string[], env: Record<string, string>, sentence: string][] = [
    [['--onse'], {}, 'npm start does not know its argument 1. Did you mean --once?'],
    [['50000'], {}, 'npm start does not know its argument 1. Settings are variables'],
    [[], { DJANGO_API_KEY: 'k' }, 'DJANGO_API_KEY is set and DJANGO_BASE_URL is not'],
    [[], { SYNC_MAX_REMOVAL: '5' }, 'nearly SYNC_MAX_REMOVALS'],
    [[], { npm_config_once: 'true' }, 'npm took --once for itself. Write: npm start -- --once'],
    [[], { MEMBERS: 'many' }, 'MEMBERS must be a whole number'],
    [[], { DATABASE_URL: 'foo' }, 'DATABASE_URL must be a postgresql:// URL'],
    [[], { DJANGO_BASE_URL: 'https://register.example' }, 'DJANGO_API_KEY is missing'],
    [['--mock'], {}, '--mock is for a database of your own'],
  ];
  for (const [args, env, sentence] of refusals) {
    const run = clone.start(args, env);
    expect([await run.ended, run.output()]).toEqual([1, expect.stringContaining(sentence)]);
    expect(run.output()).not.toMatch(/•|^ +at /m);
  }
});
