import { execFile } from 'node:child_process';
import { chown, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Identity } from './unprivileged.ts';

/** Where a server lives: its folder, its binaries, the user it runs as, and its settings. */
export interface Place {
  folder: string;
  binaries: string;
  identity: Identity;
  settings: Record<string, string>;
}

/** What PostgreSQL sees of our environment: nothing that could change how it behaves. */
export const cleanEnvironment = { PATH: process.env['PATH'] ?? '', LC_ALL: 'C', TZ: 'UTC' };

/**
 * Creates an empty cluster: UTF-8 with PostgreSQL's own C.UTF-8 locale, which every machine has (the
 * system's, before release 17), and a password for the only user, `postgres`.
 */
export async function initialise({ folder, binaries, identity }: Place, password: string) {
  const passwordFile = join(folder, 'password');
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  if (identity.uid !== undefined) await chown(passwordFile, identity.uid, identity.gid);
  const flags = [
    `--pgdata=${join(folder, 'data')}`,
    '--username=postgres',
    '--auth=scram-sha-256',
    `--pwfile=${passwordFile}`,
    '--encoding=UTF8',
    ...(await localeFlags(join(binaries, 'bin/initdb'))),
    '--no-sync',
    '--no-instructions',
  ];
  await promisify(execFile)(join(binaries, 'bin/initdb'), flags, {
    ...identity,
    cwd: folder,
    env: cleanEnvironment,
  }).catch((cause) => {
    throw new Error(`PostgreSQL could not be initialised: ${cause.stderr || cause.message}`, {
      cause,
    });
  });
  await rm(passwordFile);
}

async function localeFlags(initdb: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)(initdb, ['--version']);
  const release = Number(/\d+/.exec(stdout)?.[0]);
  if (release < 17) return ['--locale=C.UTF-8'];
  return ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
}
