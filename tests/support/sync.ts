import { loadConfig } from '../../lib/config.ts';
import { createLog } from '../../lib/log.ts';
import { fixedCredential } from '../../lib/secrets.ts';
import { performSync } from '../../lib/sync/performSync.ts';
import type { SyncContext, SyncRequest, SyncResult } from '../../lib/sync/types.ts';
import type { MockDjango } from '../../local/mockDjango/startMockDjango.ts';
import type { MockDjangoOptions } from '../../local/mockDjango/types.ts';
import { createTestDatabase, type Row, type TestDatabase } from './database.ts';
import { startDjango } from './django.ts';

export type Settings = Record<string, string>;

/** A register, a database and the sync between them, in this process: for one test file. */
export interface SyncBench {
  database: TestDatabase;
  django: MockDjango;
  /** The environment of a run that reads this register into this database. */
  settings: Settings;
  /** The events logged since the last reset. */
  logged: Row[];
  run(request?: Partial<SyncRequest>, options?: RunOptions): Promise<SyncResult>;
  dryRun(request?: Partial<SyncRequest>, options?: RunOptions): Promise<SyncResult>;
  /** The last row of sync_log. */
  lastRun(): Promise<Row>;
  /** Empties every table and ends the register's faults; its members stay. */
  reset(): Promise<void>;
}

export interface RunOptions {
  settings?: Settings;
  signal?: AbortSignal;
  now?: () => Date;
}

/** A database, a register, and runs between them that need no HTTP server of ours. */
export async function createSyncBench(options: MockDjangoOptions = {}): Promise<SyncBench> {
  const database = await createTestDatabase();
  const django = await startDjango(options);
  const usual = { ...django.behaviour };
  const settings: Settings = {
    DATABASE_URL: database.url,
    DJANGO_BASE_URL: django.url,
    DJANGO_API_KEY: django.behaviour.key,
    DJANGO_MAX_RETRIES: '0',
  };
  const logged: Row[] = [];
  const perform = (request: Partial<SyncRequest>, { settings: more, ...rest }: RunOptions) =>
    performSync(
      { syncType: 'manual', dryRun: false, previewLimit: 100, caller: 'test', ...request },
      { ...contextOf({ ...settings, ...more }, (line) => logged.push(JSON.parse(line))), ...rest },
    );
  return {
    database,
    django,
    settings,
    logged,
    run: (request = {}, rest = {}) => perform(request, rest),
    dryRun: (request = {}, rest = {}) => perform({ ...request, dryRun: true }, rest),
    lastRun: async () => {
      const [row] = await database.query('select * from public.sync_log order by id desc limit 1');
      return row as Row;
    },
    reset: async () => {
      logged.length = 0;
      django.clear();
      Object.assign(django.behaviour, usual);
      // A few rows each: deleting them is ten times as fast as truncating the tables.
      await database.query(`delete from public.members; delete from public.sync_log;
        delete from public.member_changes; delete from public.undone_changes;
        delete from public.notification_outbox; select setval('public.members_id_seq', 1, false)`);
    },
  };
}

/** What a run needs from outside, for these settings. */
export function contextOf(settings: Settings, write: (line: string) => void): SyncContext {
  const config = loadConfig(settings, ['database', 'django', 'sync', 'notify']);
  return {
    config,
    secrets: {
      DATABASE_URL: fixedCredential(config.database.DATABASE_URL),
      DJANGO_API_KEY: fixedCredential(config.django.DJANGO_API_KEY),
      NOTIFY_SECRET: fixedCredential(config.notify.NOTIFY_SECRET),
    },
    log: createLog('DEBUG', write),
    signal: new AbortController().signal,
    now: () => new Date(),
  };
}
