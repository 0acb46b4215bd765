import { chown, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canReach, type Identity } from './unprivileged.ts';

/**
 * Creates a temporary folder that only that user and root can open. It lies in the system's folder for
 * temporary files, or in /tmp when that one is closed to the user (TMPDIR under /root). Throws when both are.
 */
export async function createFolder(identity: Identity): Promise<string> {
  for (const parent of [tmpdir(), '/tmp', '/var/tmp']) {
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
