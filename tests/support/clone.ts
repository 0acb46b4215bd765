import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, cp, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterTests } from './cleanUp.ts';
import { bareEnvironment } from './commands.ts';

const root = join(import.meta.dirname, '../..');
const sources = [
  'functions',
  'lib',
  'local',
  'migrations',
  'package.json',
  'esbuild.config.ts',
  '.npmrc',
];

/** A process of a clone, and what it has printed so far, both streams as they came. */
export interface Started {
  process: ChildProcess;
  output(): string;
  /** Waits for these words; throws when the process ends without them. */
  says(text: string): Promise<void>;
  /** As a terminal does it: the whole group gets the signal. */
  interrupt(): void;
  ended: Promise<number | NodeJS.Signals | null>;
}

export interface Clone {
  folder: string;
  /** Runs a command of the clone, in a group of its own, with nothing set but what is given. */
  run(command: string, args: string[], env?: Record<string, string>): Started;
  /** `npm start` with these flags, as the npm script runs it, at any free port. */
  start(args?: string[], env?: Record<string, string>): Started;
  /** Waits until no process and no temporary file is left of what ran here. */
  nothingRemains(): Promise<void>;
}

// Nothing here has a deadline of its own: how long a build takes is the machine's affair, and jest's to end.

/** A copy of the project for `npm start`, which builds into dist/, from which other tests serve. */
export async function createClone(): Promise<Clone> {
  const home = await mkdtemp(join(tmpdir(), 'membership-sync-test-'));
  const folder = join(home, 'clone');
  const temporary = await mkdtemp(join(home, 'tmp-'));
  // PostgreSQL runs as another user when we are root.
  await Promise.all([chmod(home, 0o755), chmod(temporary, 0o777)]);
  await Promise.all(
    sources.map((name) => cp(join(root, name), join(folder, name), { recursive: true })),
  );
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  const all: Started[] = [];
  afterTests(async () => {
    for (const { process } of all) process.kill('SIGTERM');
    await Promise.all(all.map(({ ended }) => ended));
    await rm(home, { recursive: true, force: true, maxRetries: 5 });
  });

  const run: Clone['run'] = (command, args, env = {}) => {
    const started = follow(
      spawn(command, args, {
        cwd: folder,
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...bareEnvironment(), TMPDIR: temporary, ...env },
      }),
    );
    all.push(started);
    return started;
  };
  return {
    folder,
    run,
    start: (args = [], env = {}) =>
      run(
        join(root, 'node_modules/.bin/node'),
        ['--import', './local/preload.mjs', 'local/start.ts', ...args],
        { PORT: '0', ...env },
      ),
    nothingRemains: async () => {
      while ([...(await processesIn(home)), ...(await readdir(temporary))].length > 0) {
        await sleep(50);
      }
    },
  };
}

function follow(child: ChildProcess): Started {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  let over = false;
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.once('close', (code, signal) => {
      over = true;
      resolve(code ?? signal);
    });
  });
  return {
    process: child,
    output: () => output,
    says: async (text) => {
      while (!output.includes(text)) {
        if (over) throw new Error(`It ended without saying "${text}":\n${output}`);
        await sleep(20);
      }
    },
    interrupt: () => {
      process.kill(-(child.pid ?? 0), 'SIGINT');
    },
    ended,
  };
}

async function processesIn(home: string): Promise<string[]> {
  const entries = await readdir('/proc').catch(() => []);
  const lines = await Promise.all(
    entries
      .filter((entry) => /^\d+$/.test(entry))
      .map((entry) => readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '')),
  );
  return lines.filter((line) => line.includes(home));
}
