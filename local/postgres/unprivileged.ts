import { execFileSync } from 'node:child_process';
import { lchown, readdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

/** The user that a child process runs as. Empty means ourselves. */
export type Identity = { uid: number; gid: number } | Record<string, never>;

// `nobody` where the system does not know it: the kernel needs a number, no entry in /etc/passwd.
const NOBODY = 65_534;

/**
 * Returns the user for PostgreSQL, which refuses to run as root. When we are root it is an existing user
 * without rights (`postgres`, else `nobody`), and none is ever created. Otherwise it is ourselves.
 */
export function unprivilegedIdentity(): Identity {
  if (process.getuid?.() !== 0) return {};
  for (const user of ['postgres', 'nobody']) {
    const [uid, gid] = [idOf('-u', user), idOf('-g', user)];
    if (uid && gid) return { uid, gid };
  }
  return { uid: NOBODY, gid: NOBODY };
}

function idOf(flag: string, user: string): number | undefined {
  try {
    return Number(execFileSync('id', [flag, user], { stdio: ['ignore', 'pipe', 'ignore'] }));
  } catch {
    return undefined;
  }
}

/** Whether that user may read and enter the path: a clone under /root is closed to everyone else. */
export async function canReach(path: string, { uid, gid }: Identity): Promise<boolean> {
  if (uid === undefined) return true;
  for (let current = resolve(path); ; current = dirname(current)) {
    const entry = await stat(current);
    const shift = entry.uid === uid ? 6 : entry.gid === gid ? 3 : 0;
    // Folders on the way need only the x. The path itself is read as well.
    const needed = current === resolve(path) ? 0o5 : 0o1;
    if (((entry.mode >> shift) & needed) !== needed) return false;
    if (current === dirname(current)) return true;
  }
}

/** Gives a folder and everything in it to that user. */
export async function giveTo({ uid, gid }: Identity, folder: string): Promise<void> {
  if (uid === undefined) return;
  for (const entry of await readdir(folder, { recursive: true })) {
    await lchown(join(folder, entry), uid, gid);
  }
  await lchown(folder, uid, gid);
}
