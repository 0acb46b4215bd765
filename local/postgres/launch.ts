import { type ChildProcess, spawn } from 'node:child_process';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cleanEnvironment, type Place } from './initialise.ts';

export interface Server {
  pid: number;
  port: number;
  stop(signal: NodeJS.Signals): Promise<void>;
}

const START_TIMEOUT_MS = 30_000;
// macOS takes 103 bytes, Linux 107, of which PostgreSQL adds `/.s.PGSQL.65535` to the folder.
const LONGEST_SOCKET_FOLDER = 88;

/** Starts the server on an initialised cluster and waits until it takes connections. Throws the server's log when it does not. */
export async function launch(place: Place, port: number): Promise<Server> {
  const { folder, binaries, identity, settings } = place;
  const log = await open(join(folder, 'server.log'), 'w', 0o644);
  const all = {
    port: String(port),
    listen_addresses: '127.0.0.1',
    unix_socket_directories: folder.length > LONGEST_SOCKET_FOLDER ? '' : folder,
    timezone: 'UTC',
    log_timezone: 'UTC',
    ...settings,
  };
  const flags = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = spawn(join(binaries, 'bin/postgres'), ['-D', join(folder, 'data'), ...flags], {
    ...identity,
    cwd: folder,
    env: cleanEnvironment,
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  });
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  child.unref();
  await log.close();
  await ready(place, child);
  return {
    pid: child.pid ?? 0,
    port,
    stop: async (signal) => {
      child.ref();
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      await ended;
    },
  };
}

// The server writes `ready` to the eighth line of its lock file. pg_ctl looks there too.
async function ready({ folder }: Place, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
    const lock = await readFile(join(folder, 'data/postmaster.pid'), 'utf8').catch(() => '');
    const [pid, , , , , , , status] = lock.split('\n');
    if (Number(pid) === child.pid && status?.trim() === 'ready') return;
    if (Date.now() > deadline) child.kill('SIGQUIT');
    await sleep(20);
  }
  const log = await readFile(join(folder, 'server.log'), 'utf8').catch(() => '');
  throw new Error(`PostgreSQL did not start:\n${log.trim() || 'it could not be run at all'}`);
}
