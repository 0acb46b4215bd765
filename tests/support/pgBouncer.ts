import { spawn } from 'node:child_process';
import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../local/freePort.ts';
import { unprivilegedIdentity } from '../../local/postgres/unprivileged.ts';
import { afterTests } from './cleanUp.ts';
import { commandPath } from './commands.ts';
import { accepts, until } from './until.ts';

export interface PgBouncer {
  /** The same database with the same user, through the pooler. */
  url: string;
  /** The pooler's own console, for PAUSE, RECONNECT, SHOW POOLS and the like. */
  consoleUrl: string;
  /** What it has logged so far. */
  log(): string;
  stop(): Promise<void>;
}

/**
 * Debian's PgBouncer before a database, as it comes: only the mode and what is given differ from its
 * defaults. Use describeWith('pgbouncer') around tests that need it.
 */
export async function startPgBouncer(
  databaseUrl: string,
  mode: 'session' | 'transaction',
  settings: Record<string, string | number> = {},
): Promise<PgBouncer> {
  const command = commandPath('pgbouncer');
  if (!command) throw new Error('pgbouncer is not installed');
  const database = new URL(databaseUrl);
  const user = decodeURIComponent(database.username);
  const password = decodeURIComponent(database.password);
  const identity = unprivilegedIdentity();
  // It refuses to be root, and tmpdir() may be closed to others.
  const folder = mkdtempSync('/tmp/membership-sync-pgbouncer-');
  const write = (name: string, text: string) => {
    const file = join(folder, name);
    writeFileSync(file, text, { mode: 0o600 });
    if (identity.uid !== undefined) chownSync(file, identity.uid, identity.gid);
    return file;
  };
  const port = await freePort();
  const users = write('users.txt', `"${user}" "${password}"\n`);
  const all = {
    listen_addr: '127.0.0.1',
    listen_port: port,
    unix_socket_dir: '',
    auth_type: 'scram-sha-256',
    auth_file: users,
    admin_users: user,
    pool_mode: mode,
    ...settings,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name} = ${value}`);
  const target = `* = host=${database.hostname} port=${database.port}`;
  const config = write(
    'pgbouncer.ini',
    ['[databases]', target, '[pgbouncer]', ...lines, ''].join('\n'),
  );
  if (identity.uid !== undefined) chownSync(folder, identity.uid, identity.gid);

  const child = spawn(command, [config], { ...identity, stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      log += text;
    });
  }
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve()).once('error', () => resolve());
  });
  const stop = async () => {
    if (child.exitCode === null) child.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  afterTests(stop);
  await until(async () => {
    if (child.exitCode !== null) throw new Error(`PgBouncer did not start:\n${log}`);
    return accepts(port);
  });
  const through = (name: string) => {
    const url = new URL(databaseUrl);
    url.hostname = '127.0.0.1';
    url.port = String(port);
    url.pathname = name;
    return url.href;
  };
  return {
    url: through(database.pathname),
    consoleUrl: through('/pgbouncer'),
    log: () => log,
    stop,
  };
}
