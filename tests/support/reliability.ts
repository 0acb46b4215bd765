import type { MockDjangoOptions } from '../../local/mockDjango/types.ts';
import type { Row, TestDatabase } from './database.ts';
import { ADMIN_KEY, type Reply, post as send } from './http.ts';
import { createWorld, type Settings, type World } from './world.ts';

// The names that test files not yet moved to world.ts know.
export { ADMIN_KEY, type Reply } from './http.ts';
export * from './register.ts';
export { membersOf } from './world.ts';
export type Env = Settings;

export interface System extends Pick<World, 'database' | 'django' | 'lastRun' | 'changes'> {
  env: Env;
  sync(body?: object, settings?: Env): Promise<Reply>;
  dryRun(body?: object, settings?: Env): Promise<Reply>;
  logged(settings?: Env): Record<string, unknown>[];
  reset(members?: number): Promise<void>;
  members(): Promise<Row[]>;
  active(): Promise<number[]>;
}

export async function createSystem(
  options: MockDjangoOptions = {},
  given?: TestDatabase,
): Promise<System> {
  const world = await createWorld({
    pageSize: 10,
    ...options,
    ...(given && { database: given }),
    settings: { DJANGO_PAGE_SIZE: '10', DJANGO_CONCURRENCY: '1' },
  });
  const outputs = new Map<string, { output: () => string[]; from: number }>();
  return {
    ...world,
    env: world.settings,
    sync: async (body = {}, settings = {}) => {
      const { output } = await world.bundle('syncScheduled', settings);
      const key = JSON.stringify(settings);
      if (!outputs.has(key)) outputs.set(key, { output, from: output().length });
      return world.post('syncScheduled', body, settings);
    },
    dryRun: (body = {}, settings = {}) => world.post('syncDryRun', body, settings),
    logged: (settings = {}) => {
      const { output, from } = outputs.get(JSON.stringify(settings)) ?? {};
      return (output?.().slice(from) ?? []).map((line) => JSON.parse(line));
    },
    reset: (members = 35) => {
      outputs.clear();
      return world.reset(members);
    },
    members: world.members,
    active: world.active,
  };
}

/** Posts to a function as an admin. */
export const post = (url: string, body: object, key = ADMIN_KEY): Promise<Reply> =>
  send(url, body, { key });
