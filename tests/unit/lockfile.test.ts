import { readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Locked {
  version?: string;
  optionalDependencies?: Record<string, string>;
}

const { packages } = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../package-lock.json'), 'utf8'),
) as { packages: Record<string, Locked> };

// npm 11 refuses `npm ci` when a package for another platform is missing, and `npm install` leaves those
// out when its registry does not serve them. Their entries need version, os and cpu only.
test('the lock file names the optional packages of every platform, or npm ci refuses it', () => {
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.entries(optionalDependencies)
      .filter(([name, range]) => major(found(path, name)) !== major(range))
      .map(([name]) => `${path}: ${name}`),
  );
  expect(missing).toEqual([]);
});

// As Node.js looks for it: beside the package, then above.
function found(path: string, name: string): string | undefined {
  for (let folder = path; ; folder = folder.replace(/(^|\/)node_modules\/(@[^/]+\/)?[^/]+$/, '')) {
    const version = packages[`${folder && `${folder}/`}node_modules/${name}`]?.version;
    if (version !== undefined || folder === '') return version;
  }
}

const major = (version: string | undefined) => /\d+/.exec(version ?? '')?.[0];
