import type { MockDjango } from '../../local/mockDjango/startMockDjango.ts';
import type { MockDjangoOptions, SeenRequest } from '../../local/mockDjango/types.ts';
import type { Row, TestDatabase } from './database.ts';
import { ADMIN_KEY, type Reply, post as send } from './http.ts';
import { activeIds, createWorld, membersOf, type Settings, type World } from './world.ts';

// The names that test files not yet moved to world.ts know.
export { ADMIN_KEY, type Reply } from './http.ts';
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
    members: () => membersOf(world.database),
    active: () => activeIds(world.database),
  };
}

/** Posts to a function as an admin. */
export const post = (url: string, body: object, key = ADMIN_KEY): Promise<Reply> =>
  send(url, body, { key });

export const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);

/** Whether a request asks for the list, and not for one member. */
export const asksForList = ({ path }: SeenRequest): boolean => path === '/api/members/';
/** The member that a request asks for, by Django id. */
export const memberAsked = ({ path }: SeenRequest): string | undefined =>
  /^\/api\/members\/([^/]+)\/$/.exec(path)?.[1];

/** Calls back before each page of a list is answered, with its number and that of the walk, from 1. */
export function onPage(
  django: MockDjango,
  callback: (page: number, walk: number) => unknown,
): void {
  let walk = 0;
  django.behaviour.onRequest = (request) => {
    if (!asksForList(request)) return undefined;
    const { page, offset, cursor } = request.query;
    if (page === undefined && offset === undefined && cursor === undefined) walk += 1;
    return callback(Number(page ?? 1), walk);
  };
}

/** Makes the list leave these members out, counting itself right, while their own pages still answer. */
export function hideFromList(
  django: MockDjango,
  ids: number[],
  when: (request: SeenRequest) => boolean = () => true,
): () => void {
  interface Page {
    count: number;
    results: { id: number }[];
  }
  return django.misbehave({
    kind: 'rewrite',
    when: (request) => asksForList(request) && when(request),
    body: (page: Page) => ({
      ...page,
      count: page.count - ids.length,
      results: page.results.filter(({ id }) => !ids.includes(id)),
    }),
  });
}
