import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { startBundle } from '../../tests/support/bundle.ts';
import { createTestDatabase, type TestDatabase } from '../../tests/support/database.ts';
import { ADMIN_KEY, post } from '../../tests/support/http.ts';
import type { Rival } from '../contenders/rivals.ts';

/** A way to sync, in a process of its own, with a database of its own. */
export interface Contender {
  name: string;
  lacks: string;
  pid: number;
  database: TestDatabase;
  /** Throws when the sync does not end well. */
  sync(mode?: Mode): Promise<void>;
  stop(): Promise<void>;
}

export type Mode = 'full' | 'incremental' | undefined;

// What deploy.sh sets for the functions that sync.
export const asDeployed = {
  ADMIN_API_KEY: ADMIN_KEY.padEnd(32, '-'),
  LOG_LEVEL: 'WARNING',
  NODE_ENV: 'production',
  NODE_OPTIONS: '--max-old-space-size=256',
};

/** Ours: the built bundle under the functions framework, called over HTTP. */
export async function startOurs(
  register: string,
  settings: Record<string, string> = {},
): Promise<Contender> {
  const database = await createTestDatabase();
  const bundle = await startBundle('syncScheduled', {
    ...asDeployed,
    DATABASE_URL: database.url,
    DJANGO_BASE_URL: register,
    DJANGO_API_KEY: 'any',
    DJANGO_MODIFIED_SINCE_PARAM: 'modified_since',
    ...settings,
  });
  return {
    name: 'ours',
    lacks: '–',
    pid: bundle.process.pid ?? 0,
    database,
    sync: async (mode) => {
      const key = asDeployed.ADMIN_API_KEY;
      const { status, text, body } = await post(bundle.url, mode ? { mode } : {}, { key });
      if (status !== 200 || body.status !== 'success') {
        throw new Error(`the run ended with ${status}: ${text}`);
      }
    },
    stop: async () => {
      await bundle.stop();
      await database.close();
    },
  };
}

export async function startRival({ name, lacks }: Rival, register: string): Promise<Contender> {
  const database = await createTestDatabase();
  const child = fork(join(import.meta.dirname, 'rivalProcess.ts'), [name, database.url, register]);
  return {
    name,
    lacks,
    pid: child.pid ?? 0,
    database,
    sync: async () => {
      // A process that dies says so, instead of leaving the bench to wait.
      const answer = Promise.race([once(child, 'message'), once(child, 'exit')]);
      child.send('sync');
      const [outcome] = await answer;
      if (outcome !== 'done') throw new Error(`${name}: ${outcome}`);
    },
    stop: async () => {
      child.disconnect();
      await database.close();
    },
  };
}
