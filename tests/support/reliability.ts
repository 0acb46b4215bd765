import type { SyncResult } from '../../lib/sync/types.ts';
import { generatePeople } from '../../local/mockDjango/people.ts';
import type { MockDjango } from '../../local/mockDjango/startMockDjango.ts';
import type { MockDjangoOptions, SeenRequest } from '../../local/mockDjango/types.ts';
import { type Bundle, startBundle } from './bundle.ts';
import { createTestDatabase, type Row, type TestDatabase } from './database.ts';
import { startDjango } from './django.ts';

export type Env = Record<string, string>;

/** What a function answered: a result, or an error with whatever it carries. */
export interface Reply {
  status: number;
  body: SyncResult & { error?: { code: string; message: string; plan?: string; run_id?: number } };
}

export interface System {
  database: TestDatabase;
  django: MockDjango;
  /** The environment of the bundles. */
  env: Env;
  /** Calls syncScheduled, the built bundle, with these settings beside the usual ones. */
  sync(body?: object, settings?: Env): Promise<Reply>;
  /** The same with syncDryRun. */
  dryRun(body?: object, settings?: Env): Promise<Reply>;
  /** The events that the bundle of syncScheduled with these settings has logged in this test. */
  logged(settings?: Env): Record<string, unknown>[];
  /** Empty tables, and a register of so many made-up members that behaves again. */
  reset(members?: number): Promise<void>;
  /** Every member by id, without what each run stamps. */
  members(): Promise<Row[]>;
  /** The Django ids of the active members, in their order. */
  active(): Promise<number[]>;
  /** The last row of sync_log. */
  lastRun(): Promise<Row & { details: Row & { snapshot: Row } }>;
  changes(runId?: number): Promise<Row[]>;
}

export const ADMIN_KEY = 'reliability-tests';

/** A database (its own unless one is given), a register, and the two built functions between them, for one test file. Bundles start when first called. */
export async function createSystem(
  options: MockDjangoOptions = {},
  given?: TestDatabase,
): Promise<System> {
  const database = given ?? (await createTestDatabase());
  const django = await startDjango({ pageSize: 10, ...options });
  const usual = { ...django.behaviour };
  const env: Env = {
    DATABASE_URL: database.url,
    DJANGO_BASE_URL: django.url,
    DJANGO_API_KEY: django.behaviour.key,
    DJANGO_PAGE_SIZE: '10',
    DJANGO_CONCURRENCY: '1',
    DJANGO_MAX_RETRIES: '0',
    ADMIN_API_KEY: ADMIN_KEY,
  };
  const started = new Map<string, Promise<Bundle>>();
  const linesBefore = new Map<string, number>();

  const bundle = (name: string, settings: Env) => {
    const key = JSON.stringify([name, settings]);
    const known = started.get(key) ?? startBundle(name, { ...env, ...settings });
    started.set(key, known);
    return known;
  };
  const outputOf = async (key: string) => (await started.get(key))?.output() ?? [];
  let current = new Map<string, () => string[]>();

  const call =
    (name: string) =>
    async (body: object = {}, settings: Env = {}): Promise<Reply> => {
      const { url, output } = await bundle(name, settings);
      const key = JSON.stringify([name, settings]);
      current.set(key, output);
      return post(url, body);
    };
  const query = database.query;

  return {
    database,
    django,
    env,
    sync: call('syncScheduled'),
    dryRun: call('syncDryRun'),
    logged: (settings = {}) => {
      const key = JSON.stringify(['syncScheduled', settings]);
      return (current.get(key)?.() ?? [])
        .slice(linesBefore.get(key) ?? 0)
        .map((line) => JSON.parse(line));
    },
    reset: async (members = 35) => {
      django.clear();
      Object.assign(django.behaviour, usual);
      for (const { id } of [...django.members.list()]) django.members.remove(id);
      for (const person of generatePeople(members)) django.members.add({ ...person });
      current = new Map();
      for (const key of started.keys()) linesBefore.set(key, (await outputOf(key)).length);
      await query(`truncate public.members, public.sync_log, public.member_changes, public.undone_changes,
        public.notification_outbox restart identity`);
    },
    members: () => membersOf(database),
    active: async () => {
      const rows = await query(
        'select external_id::int as id from public.members where is_active order by 1',
      );
      return rows.map(({ id }) => Number(id));
    },
    lastRun: async () => {
      const [row] = await query('select * from public.sync_log order by id desc limit 1');
      return row as Awaited<ReturnType<System['lastRun']>>;
    },
    changes: (runId) =>
      query(
        `select run_id, member_id, action, fields, before, after from public.member_changes
         where $1::int is null or run_id = $1 order by id`,
        [runId ?? null],
      ),
  };
}

/** Posts to a function as an admin. */
export async function post(url: string, body: object, key = ADMIN_KEY): Promise<Reply> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Reply['body'] };
}

/** Every member by id, as text where a type would lose something, without what each run stamps. */
export function membersOf(database: Pick<TestDatabase, 'query'>): Promise<Row[]> {
  return database.query(
    `select id, kennitala, name, email, phone, is_active, added_at::text, removed_at::text, sync_source, external_id, metadata
     from public.members order by id`,
  );
}

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
