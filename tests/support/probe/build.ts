import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../../..');

/** Builds the probe as the functions are built; gives the folder, which goes after the tests of the file. */
export function buildProbe(): string {
  // Inside node_modules, so that the framework is found from there.
  const folder = mkdtempSync(join(root, 'node_modules/.probe-'));
  folders.push(folder);
  execFileSync(join(root, 'node_modules/.bin/esbuild'), [
    join(import.meta.dirname, 'probe.ts'),
    `--outfile=${join(folder, 'index.js')}`,
    '--bundle',
    '--format=cjs',
    '--platform=node',
    '--target=node24',
    '--external:@google-cloud/functions-framework',
    '--log-level=error',
  ]);
  return folder;
}

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
