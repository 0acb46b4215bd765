import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../local/freePort.ts';

const root = join(import.meta.dirname, '../..');
const framework = join(root, 'node_modules/@google-cloud/functions-framework/build/src/main.js');
export const ADMIN_KEY = 'a-key-for-measurements-on-this-machine';

// What deploy.sh sets for the functions that sync.
const asDeployed = {
  ADMIN_API_KEY: ADMIN_KEY,
  LOG_LEVEL: 'WARNING',
  NODE_ENV: 'production',
  NODE_OPTIONS: '--max-semi-space-size=8 --max-old-space-size=256',
};

export interface ServedFunction {
  url: string;
  /** Calls it as an admin and gives the JSON of its answer. Throws when the answer is an error. */
  call(body?: object): Promise<Record<string, unknown>>;
  /** Most memory the process ever held, in MiB (VmHWM, proc(5)). */
  peakMemory(): Promise<number>;
  /** CPU time used so far, in seconds (utime + stime, proc(5); 100 ticks a second on Linux). */
  cpuSeconds(): Promise<number>;
  stop(): Promise<void>;
}

/** Serves a folder with a bundle under the functions framework in a process of its own. */
export async function serveFunction(
  source: string,
  target: string,
  environment: Record<string, string>,
  nodeFlags: string[] = [],
): Promise<ServedFunction> {
  const port = await freePort();
  const flags = [
    ...nodeFlags,
    framework,
    `--source=${source}`,
    `--target=${target}`,
    `--port=${port}`,
  ];
  const child = spawn(process.execPath, flags, {
    env: { ...asDeployed, ...environment },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  while (!(await accepts(port))) {
    if (child.exitCode !== null) throw new Error(`${target} does not start`);
    await sleep(2);
  }
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    call: async (body = {}) => {
      const response = await fetch(url, {
        method: 'POST',
        headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      const answer = (await response.json()) as Record<string, unknown>;
      if (!response.ok) {
        throw new Error(`${target} answered ${response.status}: ${JSON.stringify(answer)}`);
      }
      return answer;
    },
    peakMemory: async () => {
      const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
      return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024;
    },
    cpuSeconds: async () => {
      const fields =
        (await readFile(`/proc/${child.pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? [];
      return (Number(fields[11]) + Number(fields[12])) / 100;
    },
    stop: async () => {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
