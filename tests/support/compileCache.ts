import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startBundle } from './bundle.ts';

const dist = join(import.meta.dirname, '../../dist');

/**
 * Has Node.js keep what it compiles, and TypeScript without its types, for all processes that the tests start.
 * A script of deploy.sh takes half of the processor's time then, the start of a function four fifths.
 */
export async function openCompileCache(): Promise<void> {
  // The workers of jest inherit the environment, and they start after this.
  process.env['NODE_COMPILE_CACHE'] = await mkdtemp(join(tmpdir(), 'membership-sync-compiled-'));
  // A process writes to it when it ends by itself, but most functions are killed in the end. Those that miss
  // their settings end when everything is loaded.
  const built = existsSync(dist) ? readdirSync(dist) : [];
  const ends = built.map((name) =>
    startBundle(name, {}).then(
      ({ kill }) => kill(),
      () => {},
    ),
  );
  await Promise.all(ends);
}

export const closeCompileCache = (): Promise<void> =>
  rm(process.env['NODE_COMPILE_CACHE'] ?? '', { recursive: true, force: true });
