import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const serve = join(import.meta.dirname, '../../../local/start/serveFunction.ts');
const folder = mkdtempSync(join(tmpdir(), 'membership-sync-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

// Ours log what is uncaught, which would be uncaught again. It has work at hand for a moment when it is to end.
const busy = `
  const { createRequire } = require('node:module');
  createRequire(${JSON.stringify(serve)})('@google-cloud/functions-framework').http('busy', () => {});
  process.on('uncaughtException', (error) =>
    require('node:fs').appendFileSync(${JSON.stringify(join(folder, 'uncaught'))}, error.message));
  process.on('SIGTERM', () => {
    setTimeout(() => process.stdout.write('rolled back\\n'), 100);
    setTimeout(() => process.exit(0), 300);
  });`;
// That is, `npm start` when it is killed: nobody is left to read, and nobody to stop what it has started.
const parent = `
  const { fork } = require('node:child_process');
  const child = fork(${JSON.stringify(serve)}, [${JSON.stringify(join(folder, 'bundle.cjs'))}, 'busy'],
    { detached: true, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  child.once('message', () => console.log(child.pid));`;

test('a function whose parent was killed ends by itself, and does not log for ever that it cannot log', async () => {
  writeFileSync(join(folder, 'bundle.cjs'), busy);
  const killed = spawn(process.execPath, ['-e', parent], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [output] = await once(killed.stdout, 'data');
  const pid = Number(String(output));
  killed.kill('SIGKILL');
  await once(killed, 'exit');
  while (isAlive(pid)) await sleep(20);
  expect(readdirSync(folder)).toEqual(['bundle.cjs']);
});

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
