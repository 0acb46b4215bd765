import type { SyncRequest, SyncResult } from '../../lib/sync/types.ts';
import { generatePeople } from '../../local/mockDjango/people.ts';
import type { MockDjango } from '../../local/mockDjango/startMockDjango.ts';
import type { MockDjangoOptions } from '../../local/mockDjango/types.ts';
import { type Bundle, startBundle } from './bundle.ts';
import { createTestDatabase, type Row, type TestDatabase } from './database.ts';
import { startDjango } from './django.ts';
import { ADMIN_KEY, get, post, type Reply, type Sending } from './http.ts';
import { serveOurs } from './inProcess.ts';
import { type RunOptions, runHere } from './run.ts';

/** Variables of the environment, by name. */
export type Settings = Record<string, string>;

/** A register, a database, and the functions between them, for one test file. */
export interface World {
  database: TestDatabase;
  django: MockDjango;
  /** The environment in which the functions read this register into this database. */
  settings: Settings;
  /** A run in this process, without HTTP of ours. Throws SyncError. */
  run(request?: Partial<SyncRequest>, options?: RunOptions): Promise<SyncResult>;
  /** The same, as a dry run. */
  dryRun(request?: Partial<SyncRequest>, options?: RunOptions): Promise<SyncResult>;
  /** The events that runs in this process have logged since the last reset. */
  logged: Row[];
  /** Posts to a function as an admin, with these settings beside the usual ones. */
  post(name: string, body?: unknown, settings?: Settings, sending?: Sending): Promise<Reply>;
  /** Posts to syncScheduled. */
  sync(body?: unknown, settings?: Settings, sending?: Sending): Promise<Reply>;
  /** Gets a function's answer as an admin; the name may be followed by a path and a query. */
  get(name: string, settings?: Settings, sending?: Sending): Promise<Reply>;
  /** The built function with these settings, in a process of its own that the first call starts. */
  bundle(name: string, settings?: Settings): Promise<Bundle>;
  /** Empties every table and ends the register's faults; its members stay, unless a number is given. */
  reset(members?: number): Promise<void>;
  /** Every member by id, as text where a type would lose something, without what each run stamps. */
  members(): Promise<Row[]>;
  /** The Django ids of the active members, in their order. */
  active(): Promise<number[]>;
  /** The last row of sync_log. */
  lastRun(): Promise<Row & { details: Row & { snapshot: Row } }>;
  /** The audit trail, oldest first, of all runs or of one. */
  changes(runId?: number): Promise<Row[]>;
}

export interface WorldOptions extends MockDjangoOptions {
  /** Its own when left out. */
  database?: TestDatabase;
  /** Variables beside the usual ones. */
  settings?: Settings;
  /** Whether `post` and `get` reach the built functions, or the same loaded in this process. */
  functions?: 'built' | 'in process';
}

/** A register in pages of ten that are read one after the other, so that a test knows which comes when. */
export const smallPages = {
  pageSize: 10,
  settings: { DJANGO_PAGE_SIZE: '10', DJANGO_CONCURRENCY: '1' },
};

/** Puts up a database, a register that behaves as these options say, and the functions between them. */
export async function createWorld(options: WorldOptions = {}): Promise<World> {
  const { database: given, settings: own, functions = 'built', ...behaviour } = options;
  const [database, django] = await Promise.all([
    given ?? createTestDatabase(),
    startDjango(behaviour),
  ]);
  const usual = { ...django.behaviour };
  const settings: Settings = {
    DATABASE_URL: database.url,
    DJANGO_BASE_URL: django.url,
    DJANGO_API_KEY: django.behaviour.key,
    DJANGO_MAX_RETRIES: '0',
    ADMIN_API_KEY: ADMIN_KEY,
    ...own,
  };
  const logged: Row[] = [];
  const perform = (request: Partial<SyncRequest>, { settings: more, ...rest }: RunOptions) =>
    runHere({ ...settings, ...more }, request, {
      write: (line) => logged.push(JSON.parse(line)),
      ...rest,
    });

  const started = new Map<string, Promise<Bundle>>();
  const bundle = (name: string, more: Settings = {}) => {
    const key = JSON.stringify([name, more]);
    const known = started.get(key) ?? startBundle(name, { ...settings, ...more });
    started.set(key, known);
    return known;
  };
  const addressOf = async (target: string, more: Settings = {}) => {
    const [, name = '', rest = ''] = /^(\w+)(.*)$/.exec(target) ?? [];
    if (functions === 'built') return (await bundle(name, more)).url + rest;
    return (await serveOurs(name, settings)) + rest;
  };

  const postTo: World['post'] = async (name, body, more, sending) =>
    post(await addressOf(name, more), body, sending);

  return {
    database,
    django,
    settings,
    logged,
    run: (request = {}, rest = {}) => perform(request, rest),
    dryRun: (request = {}, rest = {}) => perform({ ...request, dryRun: true }, rest),
    bundle,
    post: postTo,
    sync: (...rest) => postTo('syncScheduled', ...rest),
    get: async (name, more, sending) => get(await addressOf(name, more), sending),
    reset: async (members) => {
      logged.length = 0;
      django.clear();
      Object.assign(django.behaviour, usual);
      if (members !== undefined) {
        for (const { id } of [...django.members.list()]) django.members.remove(id);
        for (const person of generatePeople(members)) django.members.add({ ...person });
      }
      await emptyTables(database);
    },
    members: () => membersOf(database),
    active: async () => {
      const rows = await database.query<{ id: number }>(
        'select external_id::int as id from public.members where is_active order by 1',
      );
      return rows.map(({ id }) => id);
    },
    lastRun: async () => {
      const [row] = await database.query('select * from public.sync_log order by id desc limit 1');
      return row as Awaited<ReturnType<World['lastRun']>>;
    },
    changes: (runId) =>
      database.query(
        `select run_id, member_id, action, fields, before, after from public.member_changes
         where $1::int is null or run_id = $1 order by id`,
        [runId ?? null],
      ),
  };
}

// A few rows each: deleting them is ten times as fast as truncating the tables. Runs are numbered on, so that
// an event in the output of a function is of one run only.
const emptyTables = ({ query }: TestDatabase) =>
  query(`delete from public.members; delete from public.sync_log; delete from public.member_changes;
    delete from public.undone_changes; delete from public.held_changes; delete from public.notification_outbox; delete from public.open_findings;
    delete from public.rewritten_values;
    select setval(format('%I.%I', schemaname, sequencename)::regclass, 1, false)
    from pg_sequences where schemaname = 'public' and sequencename <> 'sync_log_id_seq'`);

/** Every member by id, as text where a type would lose something, without what each run stamps. */
export const membersOf = ({ query }: Pick<TestDatabase, 'query'>): Promise<Row[]> =>
  query(
    `select id, kennitala, name, email, phone, is_active, added_at::text, removed_at::text, sync_source,
       external_id, metadata
     from public.members order by id`,
  );
