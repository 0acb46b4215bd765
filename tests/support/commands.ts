import { existsSync } from 'node:fs';
import { join } from 'node:path';

// Debian keeps daemons where only root's PATH looks.
const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/usr/local/sbin'];

/** What a process of ours gets of our environment: the way to its commands, and to what is compiled already. */
export function bareEnvironment() {
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  return { PATH, NODE_COMPILE_CACHE };
}

/** Where a command of this machine is; undefined when it is not installed. */
export const commandPath = (command: string): string | undefined =>
  folders.map((folder) => join(folder, command)).find((file) => existsSync(file));

/** `describe`, or a skipped one that says why when the command is not on this machine. */
export function describeWith(command: 'gcloud' | 'shellcheck' | 'psql' | 'pgbouncer' | 'openssl') {
  if (commandPath(command)) return describe;
  process.stderr.write(`skipped: ${command} is not installed on this machine\n`);
  return describe.skip;
}
