import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';

const STOP_TIMEOUT_MS = 10_000;
const dist = join(import.meta.dirname, '../../dist');

export interface RunningFunctions {
  /** The port of each function on 127.0.0.1. */
  ports: ReadonlyMap<string, number>;
  /** As the platform does: SIGTERM, ten seconds for the work at hand, then SIGKILL. */
  stop(): Promise<void>;
}

/**
 * Runs every built function in a process of its own, as the platform does: each decides how its process
 * ends, so they cannot share one. Ctrl-C reaches them only through stop(), because they are in a session
 * of their own. What they log comes to the terminal until then. Throws when one does not start.
 */
export async function startFunctions(
  names: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<RunningFunctions> {
  const children = names.map((name) => start(name, env));
  const stop = async () => {
    await Promise.all(children.map((child) => end(child)));
  };
  try {
    const ports = await Promise.all(
      children.map((child, index) => serving(child, names[index] ?? '')),
    );
    return { ports: new Map(ports.map((port, index) => [names[index] ?? '', port])), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function start(name: string, env: NodeJS.ProcessEnv): ChildProcess {
  const child = fork(join(import.meta.dirname, 'serveFunction.ts'), [join(dist, name), name], {
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  child.stdout?.on('data', (text) => process.stdout.write(text));
  child.stderr?.on('data', (text) => process.stderr.write(text));
  return child;
}

function serving(child: ChildProcess, name: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('message', ({ port }: { port: number }) => resolve(port));
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`The function ${name} did not start`)));
  });
}

// A run that is cut off logs an error, which is no news to a user after Ctrl-C.
async function end(child: ChildProcess): Promise<void> {
  for (const stream of [child.stdout, child.stderr]) stream?.removeAllListeners('data').resume();
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await ended;
  clearTimeout(timer);
}
