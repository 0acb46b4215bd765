import fc from 'fast-check';
import { SyncError } from '../../lib/errors.ts';
import type { SyncRequest, SyncResult } from '../../lib/sync/types.ts';
import type { MockDjango } from '../../local/mockDjango/startMockDjango.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { startDjango } from './django.ts';
import { fillRegister, membersNow, type Person, startOver } from './reliabilityRegister.ts';
import { runHere } from './run.ts';
import type { Settings } from './world.ts';

/** The same cases in every run of the suite; FAST_CHECK_SEED looks at others, or repeats those of a failure. */
const seed = Number(process.env['FAST_CHECK_SEED'] ?? 20_261_126);
const { FAST_CHECK_SECONDS: seconds, FAST_CHECK_PATH: path } = process.env;
/**
 * How cases are looked for: so many as usual, or as FAST_CHECK_RUNS asks for. After FAST_CHECK_SECONDS neither a
 * case nor a smaller one is tried any more: to find the smallest takes a few hundred tries. FAST_CHECK_PATH, beside
 * the seed, tries the one case that a failure names so.
 */
export const search = (usual: number): fc.Parameters<unknown> => ({
  seed,
  numRuns: Number(process.env['FAST_CHECK_RUNS'] ?? usual),
  ...(path === undefined ? {} : { path, endOnFailure: true }),
  ...(seconds === undefined ? {} : { interruptAfterTimeLimit: Number(seconds) * 1000 }),
});

/** How a register is read, and how much a run may change. */
export const setting = fc.record({
  size: fc.integer({ min: 1, max: 8 }),
  pageSize: fc.integer({ min: 1, max: 6 }),
  pagination: fc.constantFrom('page-number', 'limit-offset', 'cursor', 'results'),
  concurrency: fc.integer({ min: 1, max: 4 }),
  detail: fc.constantFrom(true, true, false),
  confirm: fc.constantFrom('auto', 'always'),
  retries: fc.nat(1),
  /** Most changes of one class; most cases have none, since what waits hides what a run does. */
  limit: fc.constantFrom(1000, 1000, 1000, 0, 1, 2),
});
export type Setting = typeof setting extends fc.Arbitrary<infer S> ? S : never;

/** A register and a database for cases that come one after the other. */
export interface ReliabilityWorld {
  database: TestDatabase;
  django: MockDjango;
  /** Starts a case: empty tables, this register, and no fault. */
  start(setting: Omit<Setting, 'limit'>): Promise<{ people: Person[]; settings: Settings }>;
  /** Writes into the row of every member whose person is in `metadata`, as another service writes its mark. */
  markBallots(): Promise<void>;
  /** Lets so much time go by that a walk decides again about members who were asked for by themselves. */
  wait(): Promise<void>;
}

const tables = [
  'members',
  'sync_log',
  'member_changes',
  'undone_changes',
  'held_changes',
  'open_findings',
  'rewritten_values',
  'notification_outbox',
];

export async function createReliabilityWorld(): Promise<ReliabilityWorld> {
  console.info(`FAST_CHECK_SEED=${seed}`);
  const [database, django] = await Promise.all([createTestDatabase(), startDjango()]);
  const usual = { ...django.behaviour };
  return {
    database,
    django,
    start: async ({ size, pageSize, pagination, concurrency, detail, confirm, retries }) => {
      startOver();
      django.clear();
      Object.assign(django.behaviour, usual, { pageSize, pagination, detail });
      django.behaviour.modifiedParam = 'modified_since';
      await database.query(`truncate ${tables.map((name) => `public.${name}`)} restart identity`);
      const settings = {
        DATABASE_URL: database.url,
        DJANGO_BASE_URL: django.url,
        DJANGO_MEMBERS_PATH: '/api/members/',
        DJANGO_API_KEY: django.behaviour.key,
        DJANGO_MODIFIED_SINCE_PARAM: 'modified_since',
        DJANGO_PAGE_SIZE: String(pageSize),
        DJANGO_CONCURRENCY: String(concurrency),
        DJANGO_MAX_RETRIES: String(retries),
        SYNC_CONFIRM_REMOVALS: confirm,
        // What the limits do is asked for by the case; elsewhere they would hide what a run does without them.
        SYNC_LIMIT_FLOOR: '1000',
      };
      return { people: fillRegister(django, size), settings };
    },
    wait: async () => {
      await database.query(
        `update public.sync_log set finished_at = finished_at - interval '11 minutes' where mode = 'selected'`,
      );
    },
    markBallots: async () => {
      const members = [...membersNow(django).values()];
      await database.query(
        `update public.members m
            set metadata = coalesce(m.metadata, '{}') || jsonb_build_object('person', r.person)
           from unnest($1::text[], $2::text[], $3::text[], $4::text[]) r (external_id, kennitala, name, person)
          where m.external_id = r.external_id and m.kennitala = r.kennitala and m.name = r.name`,
        [
          members.map(({ id }) => String(id)),
          members.map(({ kennitala }) => kennitala),
          members.map(({ name }) => name.normalize('NFC').trim()),
          members.map(({ person }) => person),
        ],
      );
    },
  };
}

/** A run, or what it was refused with. */
export const attempt = (
  settings: Settings,
  request: Partial<SyncRequest>,
): Promise<SyncResult | SyncError> =>
  runHere(settings, request).catch((error: unknown) => {
    if (error instanceof SyncError) return error;
    throw error;
  });
