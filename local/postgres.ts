import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { freePort } from './freePort.ts';
import { binariesFor } from './postgres/binaries.ts';
import { createFolder } from './postgres/folder.ts';
import { initialise } from './postgres/initialise.ts';
import { launch, type Server } from './postgres/launch.ts';
import { unprivilegedIdentity } from './postgres/unprivileged.ts';

export interface PostgresOptions {
  /** A free one by default. */
  port?: number;
  /** Server settings, e.g. `{ log_statement: 'all' }`. */
  settings?: Record<string, string>;
  /** Survive a power cut: slower, and of no use for a database that is thrown away. False by default. */
  durable?: boolean;
  /** Its files are in memory, where there is room: each run makes and removes some. False by default. */
  inMemory?: boolean;
  /** The npm package whose binaries run, where another release than the newest is asked for. */
  package?: string;
}

export interface Postgres {
  readonly url: string;
  readonly port: number;
  /** The number of the server's main process; a restart changes it. */
  readonly pid: number;
  /** Where everything lives, removed by stop(). */
  readonly folder: string;
  /** Stops the server at once, ending every session, and removes its files. Safe to call twice. */
  stop(): Promise<void>;
  /** Stops as stop() does (or as the signal says: SIGQUIT is a crash) and starts on the same data and port. */
  restart(signal?: NodeJS.Signals): Promise<void>;
}

/**
 * Starts a real PostgreSQL in a temporary folder, on 127.0.0.1 only, with a random password. It works as
 * root too, prints nothing, and many can run side by side. Ctrl-C does not reach the server, because it is
 * in a session of its own. However this process ends, postgres/cleanUp.sh stops the server and removes
 * the folder. Throws when PostgreSQL does not start.
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<Postgres> {
  const identity = unprivilegedIdentity();
  const folder = await createFolder(identity, options.inMemory);
  const cleanUp = spawn('/bin/sh', [`${import.meta.dirname}/postgres/cleanUp.sh`, folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    cwd: '/',
  });
  const cleanedUp = new Promise<void>((resolve) => {
    cleanUp.once('exit', () => resolve()).once('error', () => resolve());
  });
  cleanUp.unref();
  (cleanUp.stdin as unknown as { unref(): void }).unref();

  const password = randomBytes(18).toString('base64url');
  const place = { folder, identity, binaries: '', settings: settingsOf(options) };
  let server: Server | undefined;
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= (async () => {
      await server?.stop('SIGINT');
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
      cleanUp.ref();
      cleanUp.stdin.end();
      await cleanedUp;
    })();
    return stopped;
  };

  try {
    place.binaries = await binariesFor(identity, folder, options.package);
    await initialise(place, password);
    server = await launchOnFreePort(place, options.port);
  } catch (error) {
    await stop();
    throw error;
  }
  const { port } = server;
  return {
    url: `postgresql://postgres:${password}@127.0.0.1:${port}/postgres`,
    port,
    folder,
    get pid() {
      return server?.pid ?? 0;
    },
    stop,
    restart: async (signal = 'SIGINT') => {
      await server?.stop(signal);
      server = await launch(place, port);
    },
  };
}

function settingsOf({ settings, durable = false }: PostgresOptions): Record<string, string> {
  const fast = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };
  return { ...(durable ? {} : fast), ...settings };
}

// Another process may take the port between the question and the start: ask again.
async function launchOnFreePort(place: Parameters<typeof launch>[0], wanted?: number) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await launch(place, wanted ?? (await freePort()));
    } catch (error) {
      const taken = error instanceof Error && error.message.includes('Address already in use');
      if (wanted !== undefined || !taken || attempt === 5) throw error;
    }
  }
}
