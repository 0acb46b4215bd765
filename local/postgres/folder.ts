import { chown, mkdtemp, readFile, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canReach, type Identity } from './unprivileged.ts';

/** Files that are memory, on Linux. */
const MEMORY = '/dev/shm';
/** What the databases of a few test files and a write-ahead log take, in bytes, and as much again. */
const ROOM = 4 * 1024 ** 3;

/**
 * Creates a temporary folder that only that user and root can open. It lies in the system's folder for
 * temporary files, or in /tmp when that one is closed to the user (TMPDIR under /root); in memory, if that is
 * asked for and there is room. Throws when none can be used.
 */
export async function createFolder(identity: Identity, inMemory = false): Promise<string> {
  const memory = inMemory && (await memoryIsUsable()) ? [MEMORY] : [];
  for (const parent of [...memory, tmpdir(), '/tmp', '/var/tmp']) {
    if (!(await canEnter(parent, identity))) continue;
    const folder = await mkdtemp(join(parent, 'membership-sync-postgres-')).catch(() => undefined);
    if (folder === undefined) continue;
    if (identity.uid !== undefined) await chown(folder, identity.uid, identity.gid);
    return folder;
  }
  throw new Error(
    'PostgreSQL needs a folder for temporary files, and neither TMPDIR nor /tmp nor /var/tmp can be used',
  );
}

async function canEnter(parent: string, identity: Identity): Promise<boolean> {
  return canReach(parent, identity).catch(() => false);
}

// Containers mostly have 64 MiB there. Where no program may run, none may be copied to either.
async function memoryIsUsable(): Promise<boolean> {
  try {
    const { bavail, bsize } = await statfs(MEMORY);
    const mounts = await readFile('/proc/mounts', 'utf8');
    // One may lie over another: the last one counts.
    const mount = mounts.split('\n').findLast((line) => line.split(' ')[1] === MEMORY);
    return bavail * bsize >= ROOM && mount !== undefined && !/\bnoexec\b/.test(mount);
  } catch {
    return false;
  }
}
