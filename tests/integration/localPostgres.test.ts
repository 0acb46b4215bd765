import { mkdir, mkdtemp, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { linkLibraries } from '../../local/postgres/binaries.ts';

const links = [
  { source: 'native/lib/libz.1.3.2.dylib', target: 'native/lib/libz.1.dylib' },
  { source: 'native/lib/libpq.so.5.18', target: 'native/lib/libpq.so.5' },
];

// The packages of macOS and Linux alike, as npm unpacks them where install scripts do not run.
test('the links between the libraries of PostgreSQL are made where they are missing', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'membership-sync-test-'));
  try {
    await mkdir(join(folder, 'native/lib'), { recursive: true });
    await writeFile(join(folder, 'native/pg-symlinks.json'), JSON.stringify(links));
    for (const { source } of links) await writeFile(join(folder, source), '');
    // Twice, and at once: two that start together find the same ones missing.
    expect(await Promise.all([linkLibraries(folder), linkLibraries(folder)])).toEqual([true, true]);
    expect(await linkLibraries(folder)).toBe(true);
    const made = await Promise.all(links.map(({ target }) => readlink(join(folder, target))));
    expect(made).toEqual(['libz.1.3.2.dylib', 'libpq.so.5.18']);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a package whose links cannot be made is not used as it is', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'membership-sync-test-'));
  try {
    await mkdir(join(folder, 'native'));
    await writeFile(join(folder, 'native/pg-symlinks.json'), JSON.stringify(links));
    expect(await linkLibraries(folder)).toBe(false);
  } finally {
    await rm(folder, { recursive: true });
  }
});
