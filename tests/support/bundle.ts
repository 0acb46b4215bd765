import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { freePort } from '../../local/freePort.ts';
import { afterTests } from './cleanUp.ts';
import { bareEnvironment } from './commands.ts';
import type { Row } from './database.ts';
import { until } from './until.ts';

export interface Bundle {
  /** The function answers at every path below. */
  url: string;
  process: ChildProcess;
  /** Every line written so far, stdout and stderr in the order they came. */
  output(): string[];
  /** The lines that are events of ours. */
  events(): Row[];
  /** Waits for the first event that has these fields, and gives all of it. */
  says(fields: Row): Promise<Row>;
  /** Sends a signal (SIGTERM when none is named) and waits until the process is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Ends it in any state. Done by itself after the last test of the file. */
  stop(): Promise<void>;
}

const root = join(import.meta.dirname, '../..');
const node = join(root, 'node_modules/.bin/node');
const framework = join(root, 'node_modules/@google-cloud/functions-framework/build/src/main.js');
const START_TIMEOUT_MS = 20_000;

/**
 * Serves a built function as the platform does: its bundle under the functions framework, in a
 * process of its own that sees bareEnvironment() and the given variables only. Needs `npm run build` before.
 */
export async function startBundle(
  name: string,
  env: Record<string, string>,
  source = join(root, 'dist', name),
): Promise<Bundle> {
  if (!existsSync(source)) throw new Error(`${source} is missing: run \`npm run build\` first`);
  const port = await freePort();
  const flags = [framework, `--source=${source}`, `--target=${name}`, `--port=${port}`];
  const child = spawn(node, flags, {
    env: { ...bareEnvironment(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const output = collectLines(child);
  const events = () =>
    output().flatMap((line): Row[] => (line.startsWith('{') ? [JSON.parse(line)] : []));
  const kill = async (signal: NodeJS.Signals = 'SIGTERM') => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await ended;
  };
  afterTests(() => kill('SIGKILL'));
  await untilServing(child, port, name, output);
  return {
    url: `http://127.0.0.1:${port}`,
    process: child,
    output,
    events,
    says: (fields) =>
      until(
        () => events().find((event) => isDeepStrictEqual({ ...event, ...fields }, event)),
        `an event with ${JSON.stringify(fields)} from ${name}`,
      ),
    kill,
    stop: () => kill('SIGKILL'),
  };
}

function collectLines(child: ChildProcess): () => string[] {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
    });
  }
  return () => text.split('\n').filter((line) => line !== '');
}

// A connection alone is taken by the kernel, while the process may not have taken its signals yet.
function replies(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('no request\r\n\r\n'));
    const end = (replied: boolean) => {
      socket.destroy();
      resolve(replied);
    };
    socket
      .once('data', () => end(true))
      .once('error', () => end(false))
      .once('close', () => end(false));
  });
}

async function untilServing(
  child: ChildProcess,
  port: number,
  name: string,
  output: () => string[],
): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!(await replies(port))) {
    const ended = child.exitCode !== null || child.signalCode !== null;
    if (ended || Date.now() > deadline) {
      throw new Error(`dist/${name} does not serve:\n${output().join('\n')}`);
    }
    await sleep(5);
  }
}
